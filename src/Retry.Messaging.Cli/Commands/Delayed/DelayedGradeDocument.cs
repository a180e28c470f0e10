using Retry.Messaging.Operations.Delayed;

namespace Retry.Messaging.Cli.Commands.Delayed;

/// <summary>What waits in one rung, as JSON shows it.</summary>
internal sealed record DelayedGradeDocument(string Grade, long Waiting, long? Error, long? Unclaimed, DateTimeOffset? Next, DateTimeOffset? Last)
{
    public static DelayedGradeDocument Of(DelayedRung rung, long? unclaimed) =>
        new(rung.Grade, rung.Waiting, unclaimed is null ? rung.Error : null, unclaimed, rung.Next, rung.Last);
}
