using Retry.Messaging.Idempotency;

namespace Retry.Messaging.Tests.Idempotency;

/// <summary>A store that fails a number of times: before it does what it was asked, or after it did.</summary>
internal sealed class FailingStore(IIdempotencyStore store) : IIdempotencyStore
{
    private int _acquireFails;
    private int _endFailsAfterCommit;

    public int AcquireFails { init => _acquireFails = value; }

    public int EndFailsAfterCommit { init => _endFailsAfterCommit = value; }

    public TimeSpan Retention => store.Retention;

    public Task<IdempotencyVerdict> AcquireAsync(IdempotencyRequest request, CancellationToken cancellationToken) =>
        Interlocked.Decrement(ref _acquireFails) >= 0 ? throw new IOException("the store is down") : store.AcquireAsync(request, cancellationToken);

    public Task<IdempotencyTransaction> BeginAsync(CancellationToken cancellationToken) => store.BeginAsync(cancellationToken);

    public async Task<bool> EndAsync(IdempotencyLease lease, IdempotencyResult? result, IdempotencyTransaction? transaction, CancellationToken cancellationToken)
    {
        var ended = await store.EndAsync(lease, result, transaction, cancellationToken);
        return Interlocked.Decrement(ref _endFailsAfterCommit) >= 0 ? throw new IOException("the connection broke off after the commit") : ended;
    }

    public Task<int> PruneAsync(int most, CancellationToken cancellationToken) => store.PruneAsync(most, cancellationToken);
}
