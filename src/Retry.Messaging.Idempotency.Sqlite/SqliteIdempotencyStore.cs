using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Retry.Messaging.Idempotency.Sqlite;

/// <summary>The store in SQLite: one row a key.</summary>
/// <remarks>
/// The row's id is the fencing token. A lease that begins replaces the row, and SQLite gives a new row a larger id than any that
/// the table ever had. So a process whose lease was taken over finds no row of its token, and commits nothing.
/// SQLite has one writer at a time. Those of one process wait in line here, where waiting blocks no thread.
/// </remarks>
internal sealed class SqliteIdempotencyStore(string connectionString, TimeSpan retention, TimeProvider time) : IIdempotencyStore, IDisposable
{
    private const string Schema =
        """
        PRAGMA journal_mode = WAL;
        CREATE TABLE IF NOT EXISTS retry_once (
            token INTEGER PRIMARY KEY AUTOINCREMENT,
            consumer TEXT NOT NULL,
            key TEXT NOT NULL,
            hash TEXT NOT NULL,
            state INTEGER NOT NULL,
            content BLOB NULL,
            lease_until INTEGER NOT NULL,
            changed_at INTEGER NOT NULL,
            UNIQUE (consumer, key));
        CREATE INDEX IF NOT EXISTS retry_once_changed_at ON retry_once (changed_at);
        """;

    private const int InProgress = 0;
    private const int Done = 1;
    private const int Failed = 2;

    private readonly SemaphoreSlim _writer = new(1, 1);
    private bool _hasTable;

    /// <inheritdoc/>
    public TimeSpan Retention => retention;

    /// <inheritdoc/>
    public async Task<IdempotencyVerdict> AcquireAsync(IdempotencyRequest request, CancellationToken cancellationToken)
    {
        var transaction = await BeginAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = transaction.ConfigureAwait(false);
        var now = time.GetUtcNow();
        var row = Read(transaction, request.Key);
        if (KeyRow.WhyNot(row, request, now) is { } verdict)
        {
            return verdict;
        }

        using var insert = Command(
            transaction,
            "INSERT OR REPLACE INTO retry_once (consumer, key, hash, state, lease_until, changed_at) VALUES ($consumer, $key, $hash, $state, $until, $now) RETURNING token");
        Bind(insert, request.Key);
        insert.Parameters.AddWithValue("$hash", request.ContentHash);
        insert.Parameters.AddWithValue("$state", InProgress);
        insert.Parameters.AddWithValue("$until", (now + request.Lease).ToUnixTimeMilliseconds());
        insert.Parameters.AddWithValue("$now", now.ToUnixTimeMilliseconds());
        var token = Convert.ToInt64(insert.ExecuteScalar(), CultureInfo.InvariantCulture);
        await transaction.Transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return new IdempotencyVerdict.Run(new IdempotencyLease(request.Key, token), IsUncertain: row is { Result: null });
    }

    /// <inheritdoc/>
    public async Task<IdempotencyTransaction> BeginAsync(CancellationToken cancellationToken)
    {
        await _writer.WaitAsync(cancellationToken).ConfigureAwait(false);
        var turn = new Turn(_writer);
        var connection = new SqliteConnection(connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            if (!_hasTable)
            {
                using var schema = connection.CreateCommand();
                schema.CommandText = Schema;
                schema.ExecuteNonQuery();
                _hasTable = true;
            }

            // immediate: what only reads at first could not write later, when another process has written in between
            return new IdempotencyTransaction(connection, connection.BeginTransaction(deferred: false), turn);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            turn.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<bool> EndAsync(
        IdempotencyLease lease,
        IdempotencyResult? result,
        IdempotencyTransaction? transaction,
        CancellationToken cancellationToken)
    {
        var open = transaction ?? await BeginAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = open.ConfigureAwait(false);
        using var end = Command(
            open,
            result is null
                ? "DELETE FROM retry_once WHERE token = $token AND state = $progress"
                : "UPDATE retry_once SET state = $state, content = $content, changed_at = $now WHERE token = $token AND state = $progress");
        end.Parameters.AddWithValue("$token", lease.Token);
        end.Parameters.AddWithValue("$progress", InProgress);
        if (result is not null)
        {
            end.Parameters.AddWithValue("$state", result.IsFailure ? Failed : Done);
            end.Parameters.AddWithValue("$content", result.Content.ToArray());
            end.Parameters.AddWithValue("$now", time.GetUtcNow().ToUnixTimeMilliseconds());
        }

        if (end.ExecuteNonQuery() == 0)
        {
            return false;
        }

        await open.Transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <inheritdoc/>
    public async Task<int> PruneAsync(int most, CancellationToken cancellationToken)
    {
        var transaction = await BeginAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = transaction.ConfigureAwait(false);
        var now = time.GetUtcNow();
        using var prune = Command(
            transaction,
            "DELETE FROM retry_once WHERE token IN (SELECT token FROM retry_once WHERE changed_at < $before AND lease_until < $now ORDER BY changed_at LIMIT $most)");
        prune.Parameters.AddWithValue("$before", (now - retention).ToUnixTimeMilliseconds());
        prune.Parameters.AddWithValue("$now", now.ToUnixTimeMilliseconds());
        prune.Parameters.AddWithValue("$most", most);
        var pruned = prune.ExecuteNonQuery();
        await transaction.Transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return pruned;
    }

    public void Dispose() => _writer.Dispose();

    private static KeyRow? Read(IdempotencyTransaction transaction, IdempotencyKey key)
    {
        using var select = Command(transaction, "SELECT hash, state, content, lease_until FROM retry_once WHERE consumer = $consumer AND key = $key");
        Bind(select, key);
        using var reader = select.ExecuteReader();
        if (!reader.Read())
        {
            return null;
        }

        var state = reader.GetInt32(1);
        var result = state == InProgress ? null : new IdempotencyResult(state == Failed, reader.GetFieldValue<byte[]>(2));
        return new KeyRow(reader.GetString(0), result, DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(3)));
    }

    private static SqliteCommand Command(IdempotencyTransaction transaction, string text) =>
        new(text, (SqliteConnection)transaction.Connection, (SqliteTransaction)transaction.Transaction);

    private static void Bind(SqliteCommand command, IdempotencyKey key)
    {
        command.Parameters.AddWithValue("$consumer", key.Consumer);
        command.Parameters.AddWithValue("$key", key.Value);
    }

    private sealed class Turn(SemaphoreSlim writer) : IDisposable
    {
        public void Dispose() => writer.Release();
    }
}
