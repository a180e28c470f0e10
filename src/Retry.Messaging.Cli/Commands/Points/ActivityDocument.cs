using Retry.Messaging.Operations.Pulse;

namespace Retry.Messaging.Cli.Commands.Points;

/// <summary>What one retry point does at the moment, as JSON shows it.</summary>
internal sealed record ActivityDocument(
    string Queue,
    int Nodes,
    double? DonePerSecond,
    double? ErrorPerSecond,
    double? FailPerSecond,
    double? TimedOutPerSecond,
    int InFlight,
    int Held,
    double? MedianMs,
    double? P95Ms,
    double? LateP95Ms,
    string? TargetIsIll,
    IReadOnlyList<IllNode>? IllNodes)
{
    public static ActivityDocument Of(PointActivity point) => new(
        point.Queue,
        point.Nodes,
        Round(point.Done),
        Round(point.Error),
        Round(point.Fail),
        Round(point.TimedOut),
        point.InFlight,
        point.Held,
        Round(point.Median?.TotalMilliseconds),
        Round(point.Slow?.TotalMilliseconds),
        Round(point.Late?.TotalMilliseconds),
        point.Health.Target,
        point.Health.Nodes.Count == 0 ? null : point.Health.Nodes);

    private static double? Round(double? number) => number is { } known ? Math.Round(known, 3) : null;
}
