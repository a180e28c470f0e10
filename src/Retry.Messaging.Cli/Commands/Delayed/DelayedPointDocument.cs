using Retry.Messaging.Operations.Delayed;

namespace Retry.Messaging.Cli.Commands.Delayed;

/// <summary>What waits in delay of one point, as JSON shows it.</summary>
internal sealed record DelayedPointDocument(string Queue, long Waiting, long Error, IReadOnlyList<DelayedGradeDocument> Grades)
{
    public static DelayedPointDocument Of(DelayedPoint point) =>
        new(point.Queue, point.Waiting, point.Error, [.. point.Rungs.Select(rung => DelayedGradeDocument.Of(rung, null))]);
}
