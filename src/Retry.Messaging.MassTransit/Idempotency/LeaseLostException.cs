namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>A consumer took longer than its lease, and another process has taken its key over. An error like any other: the message comes again.</summary>
internal sealed class LeaseLostException(string key)
    : Exception($"The lease of key '{key}' was taken over before the consumer had ended: it took longer than its lease. Nothing of it has been committed, and none of its messages sent. Make the lease longer than the consumer takes: UseIdempotency(context, once => once.Lease(time)).");
