namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>A message that was scheduled.</summary>
/// <param name="Id">Its id, and its token.</param>
/// <param name="Due">When it is due.</param>
/// <param name="CancelledAt">When its cancel was confirmed, if it was cancelled.</param>
internal sealed record ScheduledOne(Guid Id, DateTimeOffset Due, DateTimeOffset? CancelledAt)
{
    /// <summary>Whether it was cancelled a second before it was due, so that it may not arrive. A busy broker confirms some later.</summary>
    public bool MayNotArrive => CancelledAt <= Due - TimeSpan.FromSeconds(1);
}
