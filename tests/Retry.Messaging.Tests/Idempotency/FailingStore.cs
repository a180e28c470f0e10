using Retry.Messaging.Idempotency;

namespace Retry.Messaging.Tests.Idempotency;

/// <summary>A store that fails a number of times: before it does what it was asked, or after it did.</summary>
internal sealed class FailingStore(IIdempotencyStore store) : IIdempotencyStore
{
    private int _acquireFails;
    private int _endFailsAfterCommit;
    private int _rollBackFails;

    public int AcquireFails { init => _acquireFails = value; }

    public int EndFailsAfterCommit { init => _endFailsAfterCommit = value; }

    public int RollBackFails { init => _rollBackFails = value; }

    /// <summary>Told when a lease is about to be renewed.</summary>
    public Action Renewing { get; init; } = () => { };

    public TimeSpan Retention => store.Retention;

    public Task<IdempotencyVerdict> AcquireAsync(IdempotencyRequest request, CancellationToken cancellationToken) =>
        Interlocked.Decrement(ref _acquireFails) >= 0 ? throw new IOException("the store is down") : store.AcquireAsync(request, cancellationToken);

    public async Task<IdempotencyTransaction> BeginAsync(CancellationToken cancellationToken)
    {
        var transaction = await store.BeginAsync(cancellationToken);
        return Interlocked.Decrement(ref _rollBackFails) >= 0 ? new(transaction.Connection, transaction.Transaction, new Broken(transaction)) : transaction;
    }

    public async Task<bool> EndAsync(IdempotencyLease lease, IdempotencyResult? result, IdempotencyTransaction? transaction, CancellationToken cancellationToken)
    {
        var ended = await store.EndAsync(lease, result, transaction, cancellationToken);
        return Interlocked.Decrement(ref _endFailsAfterCommit) >= 0 ? throw new IOException("the connection broke off after the commit") : ended;
    }

    public Task<bool> RenewAsync(IdempotencyLease lease, TimeSpan rest, CancellationToken cancellationToken)
    {
        var renewed = store.RenewAsync(lease, rest, cancellationToken);
        Renewing();
        return renewed;
    }

    public Task<int> PruneAsync(int most, CancellationToken cancellationToken) => store.PruneAsync(most, cancellationToken);

    private sealed class Broken(IdempotencyTransaction transaction) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            // all of it is undone, and the next one has its turn
            await transaction.DisposeAsync();
            throw new IOException("the connection broke off in the roll-back");
        }
    }
}
