namespace Retry.Messaging.Idempotency.Sqlite;

/// <summary>The store in SQLite: one row a key, and one writer.</summary>
internal sealed class SqliteIdempotencyStore(string connectionString, TimeSpan retention, TimeProvider time)
    : IIdempotencyStore, IIdempotencyInspector, IDisposable, IAsyncDisposable
{
    private readonly SqliteWriter _writer = new(connectionString, time);

    /// <inheritdoc/>
    public TimeSpan Retention => retention;

    /// <inheritdoc/>
    public Task<IdempotencyVerdict> AcquireAsync(IdempotencyRequest request, CancellationToken cancellationToken) => _writer.RunAsync(
        keys =>
        {
            var now = time.GetUtcNow();
            var row = keys.Read(request.Key);
            return KeyRow.WhyNot(row, request, now)
                ?? new IdempotencyVerdict.Run(new IdempotencyLease(request.Key, keys.Begin(request, now)), IsUncertain: row is { Result: null });
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RenewAsync(IdempotencyLease lease, TimeSpan rest, CancellationToken cancellationToken) =>
        _writer.RunAsync(keys => keys.Renew(lease.Token, rest, time.GetUtcNow()), cancellationToken);

    /// <inheritdoc/>
    public async Task<IdempotencyTransaction> BeginAsync(CancellationToken cancellationToken)
    {
        var turn = await _writer.BeginAsync(cancellationToken).ConfigureAwait(false);
        return new IdempotencyTransaction(turn.Keys.Connection, turn.Keys.Transaction!, turn);
    }

    /// <inheritdoc/>
    public Task<bool> EndAsync(
        IdempotencyLease lease,
        IdempotencyResult? result,
        IdempotencyTransaction? transaction,
        CancellationToken cancellationToken) => DoubtfulCommit.EndAsync(
            lease,
            result,
            () => transaction is null
                ? _writer.RunAsync(keys => keys.End(lease.Token, result, time.GetUtcNow()), cancellationToken)
                : EndAsync(lease, result, transaction),
            () => _writer.RunAsync(keys => keys.Read(lease.Key), cancellationToken));

    /// <inheritdoc/>
    public Task<int> PruneAsync(int most, CancellationToken cancellationToken) => _writer.RunAsync(
        keys =>
        {
            var now = time.GetUtcNow();
            return keys.Prune(most, now - retention, now);
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<IdempotencyStats>> CountAsync(CancellationToken cancellationToken) =>
        Task.Run(() => SqliteReports.Count(connectionString, time.GetUtcNow()), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<IdempotencyEntry>> FindAsync(string value, CancellationToken cancellationToken) =>
        Task.Run(() => SqliteReports.Find(connectionString, value, time.GetUtcNow()), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> ForgetAsync(IdempotencyKey key, CancellationToken cancellationToken) =>
        _writer.RunAsync(keys => keys.Forget(key, time.GetUtcNow()), cancellationToken);

    public void Dispose() => _writer.Dispose();

    public ValueTask DisposeAsync() => _writer.DisposeAsync();

    private async Task<bool> EndAsync(IdempotencyLease lease, IdempotencyResult? result, IdempotencyTransaction transaction)
    {
        var turn = transaction.Owner as SqliteTurn
            ?? throw new ArgumentException("Found a transaction that this store has not begun, wanted the one of EnlistAsync.", nameof(transaction));
        transaction.RequireOpen();
        await using var _ = transaction.ConfigureAwait(false);
        if (!turn.Keys.End(lease.Token, result, time.GetUtcNow()))
        {
            return false;
        }

        await turn.KeepAsync().ConfigureAwait(false);
        return true;
    }
}
