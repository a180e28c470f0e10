namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>A process stood still for longer than its lease, and another one has taken its key over. An error like any other: the message comes again.</summary>
internal sealed class LeaseLostException(string key)
    : Exception($"The lease of key '{key}' was taken over before the consumer had ended: this process slept, or could not reach its store, for longer than the lease. Nothing of it has been committed, and none of its messages sent. If that happens often, make the lease longer: UseIdempotency(context, once => once.Lease(time)).");
