using Retry.Messaging.Operations.Points;

namespace Retry.Messaging.Cli.Commands.Points;

/// <summary>One retry point as JSON shows it.</summary>
internal sealed record PointDocument(
    string Queue,
    long? Ready,
    long? Unacknowledged,
    long? Consumers,
    int? Nodes,
    IReadOnlyList<string> Builds,
    long? Climbing,
    long? ClimbingError,
    long? Waiting,
    long? Parked,
    string? Limiter,
    double? PerSecond,
    string? Trouble,
    string? UnfinishedPlan)
{
    public static PointDocument Of(PointSummary point) => new(
        point.Queue,
        point.Ready,
        point.Unacknowledged,
        point.Consumers,
        point.Nodes,
        point.Builds,
        point.Climbing,
        point.ClimbingError,
        point.Waiting,
        point.Parked,
        point.Limiter.ToString(),
        point.PerSecond,
        point.Trouble,
        point.UnfinishedPlan);
}
