namespace Retry.Messaging.Operations.Delayed;

/// <summary>What waits in delay of one point.</summary>
/// <param name="Queue">The work queue.</param>
/// <param name="Rungs">What waits in each rung that has something, the longest first.</param>
internal sealed record DelayedPoint(string Queue, IReadOnlyList<DelayedRung> Rungs)
{
    /// <summary>How many messages wait.</summary>
    public long Waiting => Rungs.Sum(rung => rung.Waiting);

    /// <summary>By how many that may be wrong at most.</summary>
    public long Error => Rungs.Sum(rung => rung.Error);
}
