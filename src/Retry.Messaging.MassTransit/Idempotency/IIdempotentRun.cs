using Retry.Messaging.Idempotency;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>One run of an idempotent consumer.</summary>
internal interface IIdempotentRun
{
    /// <summary>The transaction for the consumer's own writes; the same one each time.</summary>
    Task<IdempotencyTransaction> EnlistAsync(CancellationToken cancellationToken);

    /// <summary>Undoes what was collected and enlisted.</summary>
    Task StartOverAsync();
}
