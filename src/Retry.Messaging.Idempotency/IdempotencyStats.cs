namespace Retry.Messaging.Idempotency;

/// <summary>How many keys of one consumer a store has.</summary>
/// <param name="Consumer">The consumer: its queue, its type and the type of the message.</param>
/// <param name="Running">In progress, under a lease.</param>
/// <param name="Uncertain">In progress, but the lease has run out: nobody knows whether the effect happened.</param>
/// <param name="Done">Done.</param>
/// <param name="Failed">Failed for good.</param>
/// <param name="Oldest">When the one that has not changed for longest last did.</param>
public sealed record IdempotencyStats(string Consumer, long Running, long Uncertain, long Done, long Failed, DateTimeOffset Oldest);
