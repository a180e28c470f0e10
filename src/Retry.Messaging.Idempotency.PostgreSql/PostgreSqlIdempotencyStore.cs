using System.Data.Common;
using Npgsql;

namespace Retry.Messaging.Idempotency.PostgreSql;

/// <summary>The store in PostgreSQL: one row a key, and as many writers as there are connections.</summary>
internal sealed class PostgreSqlIdempotencyStore(NpgsqlDataSource source, TimeSpan retention, TimeProvider? clock = null)
    : IIdempotencyStore, IIdempotencyInspector, IDisposable, IAsyncDisposable
{
    private readonly PostgreSqlSchema _schema = new(source);

    /// <inheritdoc/>
    public TimeSpan Retention => retention;

    // nothing: the database's own clock
    private DateTimeOffset? Now => clock?.GetUtcNow();

    /// <inheritdoc/>
    public async Task<IdempotencyVerdict> AcquireAsync(IdempotencyRequest request, CancellationToken cancellationToken)
    {
        await _schema.EnsureAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            if (await PostgreSqlKeys.InsertAsync(source, Now, request, cancellationToken).ConfigureAwait(false) is { } first)
            {
                return Run(first, isUncertain: false);
            }

            if (await PostgreSqlKeys.ReadAsync(source, Now, request.Key, cancellationToken).ConfigureAwait(false) is { } known)
            {
                if (KeyRow.WhyNot(known.Row, request, known.Now) is { } verdict)
                {
                    return verdict;
                }

                if (await PostgreSqlKeys.ReplaceAsync(source, Now, request, known.Row, cancellationToken).ConfigureAwait(false) is { } next)
                {
                    return Run(next, isUncertain: known.Row.Result is null);
                }
            }

            // it ended, or was let go of, between two looks: look again
        }

        IdempotencyVerdict.Run Run(long token, bool isUncertain) => new(new IdempotencyLease(request.Key, token), isUncertain);
    }

    /// <inheritdoc/>
    public async Task<bool> RenewAsync(IdempotencyLease lease, TimeSpan rest, CancellationToken cancellationToken) =>
        await ExecuteAsync(PostgreSqlKeys.Renew(source, Now, lease, rest), cancellationToken).ConfigureAwait(false) > 0;

    /// <inheritdoc/>
    public async Task<IdempotencyTransaction> BeginAsync(CancellationToken cancellationToken)
    {
        await _schema.EnsureAsync(cancellationToken).ConfigureAwait(false);
        var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return new IdempotencyTransaction(connection, await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
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
                ? EndAloneAsync(lease, result, cancellationToken)
                : EndEnlistedAsync(lease, result, transaction, cancellationToken),
            async () => (await PostgreSqlKeys.ReadAsync(source, Now, lease.Key, cancellationToken).ConfigureAwait(false))?.Row);

    /// <inheritdoc/>
    public async Task<int> PruneAsync(int most, CancellationToken cancellationToken)
    {
        await _schema.EnsureAsync(cancellationToken).ConfigureAwait(false);
        return await ExecuteAsync(PostgreSqlKeys.Prune(source, Now, retention, most), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<IdempotencyStats>> CountAsync(CancellationToken cancellationToken) => ListAsync(
        PostgreSqlKeys.Count(source, Now),
        row => new IdempotencyStats(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), Time(row, 5)),
        cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<IdempotencyEntry>> FindAsync(string value, CancellationToken cancellationToken) => ListAsync(
        PostgreSqlKeys.Find(source, Now, value),
        row => new IdempotencyEntry(
            new IdempotencyKey(row.GetString(0), row.GetString(1)),
            (KeyState)row.GetInt16(2),
            row.GetInt64(3),
            row.GetString(4),
            row.GetInt32(5),
            Time(row, 6),
            row.GetBoolean(7),
            Time(row, 8)),
        cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> ForgetAsync(IdempotencyKey key, CancellationToken cancellationToken) =>
        await _schema.ExistsAsync(cancellationToken).ConfigureAwait(false)
        && await ExecuteAsync(PostgreSqlKeys.Forget(source, Now, key), cancellationToken).ConfigureAwait(false) > 0;

    public void Dispose() => source.Dispose();

    public ValueTask DisposeAsync() => source.DisposeAsync();

    private static async Task<int> ExecuteAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var _ = command.ConfigureAwait(false);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static DateTimeOffset Time(DbDataReader row, int column) => row.GetFieldValue<DateTimeOffset>(column);

    // one statement is a transaction of its own
    private async Task<bool> EndAloneAsync(IdempotencyLease lease, IdempotencyResult? result, CancellationToken cancellationToken) =>
        await ExecuteAsync(PostgreSqlKeys.End(source.CreateCommand(), Now, lease, result), cancellationToken).ConfigureAwait(false) > 0;

    private async Task<bool> EndEnlistedAsync(
        IdempotencyLease lease,
        IdempotencyResult? result,
        IdempotencyTransaction enlisted,
        CancellationToken cancellationToken)
    {
        enlisted.RequireOpen();
        await using var _ = enlisted.ConfigureAwait(false);
        var end = new NpgsqlCommand { Connection = (NpgsqlConnection)enlisted.Connection, Transaction = (NpgsqlTransaction)enlisted.Transaction };
        if (await ExecuteAsync(PostgreSqlKeys.End(end, Now, lease, result), cancellationToken).ConfigureAwait(false) == 0)
        {
            return false;
        }

        await enlisted.Transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task<IReadOnlyList<T>> ListAsync<T>(NpgsqlCommand command, Func<DbDataReader, T> convert, CancellationToken cancellationToken)
    {
        await using var _ = command.ConfigureAwait(false);
        if (!await _schema.ExistsAsync(cancellationToken).ConfigureAwait(false))
        {
            return [];
        }

        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            rows.Add(convert(reader));
        }

        return rows;
    }
}
