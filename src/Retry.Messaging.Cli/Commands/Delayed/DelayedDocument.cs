using Retry.Messaging.Operations.Delayed;

namespace Retry.Messaging.Cli.Commands.Delayed;

/// <summary>What waits in delay, as JSON shows it.</summary>
internal sealed record DelayedDocument(DateTimeOffset At, IReadOnlyList<DelayedPointDocument> Points, IReadOnlyList<DelayedGradeDocument> Ladder)
{
    public static DelayedDocument Of(DelayedOverview overview, DateTimeOffset at) => new(
        at,
        [.. overview.Points.Select(DelayedPointDocument.Of)],
        [.. overview.Rungs.Select(rung => DelayedGradeDocument.Of(rung, overview.UnclaimedIn(rung)))]);
}
