namespace Retry.Messaging.Idempotency;

/// <summary>Remembers which messages have run, and their answers.</summary>
/// <remarks>
/// A key is unknown, in progress (a lease with a fencing token), or ended. Every method is one transaction: of many processes that
/// ask at once, one runs. A store that cannot be reached throws. It never takes a key for new because it could not look.
/// </remarks>
public interface IIdempotencyStore
{
    /// <summary>Gets how long a key is remembered after its last change.</summary>
    TimeSpan Retention { get; }

    /// <summary>Looks a key up, and begins its lease if its message may run.</summary>
    /// <param name="request">The message.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What is known; <see cref="IdempotencyVerdict.Run"/> has the lease.</returns>
    Task<IdempotencyVerdict> AcquireAsync(IdempotencyRequest request, CancellationToken cancellationToken);

    /// <summary>Has a lease run from now on, while its consumer runs.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="rest">How long it shall last from now; more than zero.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether it is still the newest of its key, and has not ended; otherwise nothing has changed.</returns>
    Task<bool> RenewAsync(IdempotencyLease lease, TimeSpan rest, CancellationToken cancellationToken);

    /// <summary>Opens a transaction in which the consumer's own writes can stand beside the end of its lease.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NotSupportedException">The store is no database that the consumer could write to.</exception>
    Task<IdempotencyTransaction> BeginAsync(CancellationToken cancellationToken);

    /// <summary>Ends a lease and commits, if it is still the newest of its key.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="result">How it ended; <see langword="null"/> leaves the key unknown, so that the message may run again.</param>
    /// <param name="transaction">The consumer's transaction, or <see langword="null"/>. It has ended when this returns.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether it was; otherwise nothing has been written, by the consumer's transaction neither.</returns>
    /// <remarks>A commit that was reported as an error is looked up, and counts if it happened. If the store does not know, it throws.</remarks>
    Task<bool> EndAsync(IdempotencyLease lease, IdempotencyResult? result, IdempotencyTransaction? transaction, CancellationToken cancellationToken);

    /// <summary>Forgets keys whose <see cref="Retention"/> is over, the oldest first.</summary>
    /// <param name="most">How many at most, in one transaction.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many.</returns>
    Task<int> PruneAsync(int most, CancellationToken cancellationToken);
}
