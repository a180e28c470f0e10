namespace Retry.Messaging.Idempotency.Testing;

/// <summary>A store that the rules are checked on, with fresh keys for each rule.</summary>
public interface IStoreUnderTest
{
    /// <summary>Opens the store; each call as another process would, on the same keys.</summary>
    /// <param name="time">The clock that leases and retention run by. The rules advance it.</param>
    IIdempotencyStore Open(TimeProvider time);

    /// <summary>Writes one row of the consumer's own in a transaction of the store.</summary>
    /// <remarks>Not called for a store whose <see cref="IIdempotencyStore.BeginAsync"/> throws <see cref="NotSupportedException"/>.</remarks>
    /// <param name="transaction">The transaction.</param>
    Task WriteOwnAsync(IdempotencyTransaction transaction);

    /// <summary>Counts the rows of the consumer's own that are committed.</summary>
    Task<int> CountOwnAsync();
}
