using Npgsql;
using NpgsqlTypes;

namespace Retry.Messaging.Idempotency.PostgreSql;

/// <summary>The statements on the table of keys. Each is whole by itself: no lock is held from one to the next.</summary>
/// <remarks>
/// The time is the database's, the same for all processes whatever their own clocks say. Tests give another one. A lease that begins has a
/// token of its own, from a sequence. So a process whose lease was taken over finds no row of its token, and commits nothing.
/// </remarks>
internal static class PostgreSqlKeys
{
    private const string Now = "coalesce($1, clock_timestamp())";

    /// <summary>Begins the lease of a key that is unknown.</summary>
    /// <returns>Its token, or <see langword="null"/> if the key is known.</returns>
    public static async Task<long?> InsertAsync(NpgsqlDataSource source, DateTimeOffset? now, IdempotencyRequest request, CancellationToken cancellationToken)
    {
        var insert = source.CreateCommand(
            $"""
            INSERT INTO retry_once (consumer, key, token, hash, state, lease_until, changed_at)
            VALUES ($2, $3, nextval('retry_once_token'), $4, 0, {Now} + $5, {Now})
            ON CONFLICT (consumer, key) DO NOTHING RETURNING token
            """);
        await using var _ = insert.ConfigureAwait(false);
        Bind(insert, now, request.Key.Consumer, request.Key.Value, request.ContentHash, request.Lease);
        return await insert.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as long?;
    }

    /// <summary>Reads a key.</summary>
    /// <returns>Its row and the time, or <see langword="null"/>.</returns>
    public static async Task<(KeyRow Row, DateTimeOffset Now)?> ReadAsync(
        NpgsqlDataSource source,
        DateTimeOffset? now,
        IdempotencyKey key,
        CancellationToken cancellationToken)
    {
        var select = source.CreateCommand($"SELECT token, hash, state, content, lease_until, {Now} FROM retry_once WHERE consumer = $2 AND key = $3");
        await using var _ = select.ConfigureAwait(false);
        Bind(select, now, key.Consumer, key.Value);
        var reader = await select.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        if (!await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        var content = await reader.IsDBNullAsync(3, cancellationToken).ConfigureAwait(false) ? null : reader.GetFieldValue<byte[]>(3);
        var row = new KeyRow(
            reader.GetInt64(0),
            reader.GetString(1),
            KeyRow.ResultOf((KeyState)reader.GetInt16(2), content),
            reader.GetFieldValue<DateTimeOffset>(4));
        return (row, reader.GetFieldValue<DateTimeOffset>(5));
    }

    /// <summary>Begins a lease in the place of what was read, if it still stands there.</summary>
    /// <returns>Its token, or <see langword="null"/> if something has changed.</returns>
    public static async Task<long?> ReplaceAsync(
        NpgsqlDataSource source,
        DateTimeOffset? now,
        IdempotencyRequest request,
        KeyRow read,
        CancellationToken cancellationToken)
    {
        var replace = source.CreateCommand(
            $"""
            UPDATE retry_once SET token = nextval('retry_once_token'), hash = $4, state = 0, content = NULL, lease_until = {Now} + $5, changed_at = {Now}
            WHERE consumer = $2 AND key = $3 AND token = $6 AND (state = 0) = $7 AND lease_until = $8 RETURNING token
            """);
        await using var _ = replace.ConfigureAwait(false);
        Bind(replace, now, request.Key.Consumer, request.Key.Value, request.ContentHash, request.Lease, read.Token, read.Result is null, read.LeaseUntil);
        return await replace.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as long?;
    }

    public static NpgsqlCommand Renew(NpgsqlDataSource source, DateTimeOffset? now, IdempotencyLease lease, TimeSpan rest)
    {
        var renew = source.CreateCommand(
            $"UPDATE retry_once SET lease_until = {Now} + $5, changed_at = {Now} WHERE consumer = $2 AND key = $3 AND token = $4 AND state = 0");
        Bind(renew, now, lease.Key.Consumer, lease.Key.Value, lease.Token, rest);
        return renew;
    }

    /// <summary>Has a command end a lease, if it is still the newest of its key.</summary>
    public static NpgsqlCommand End(NpgsqlCommand end, DateTimeOffset? now, IdempotencyLease lease, IdempotencyResult? result)
    {
        const string Mine = "WHERE consumer = $2 AND key = $3 AND token = $4 AND state = 0";
        end.CommandText = result is null
            ? $"DELETE FROM retry_once {Mine}"
            : $"UPDATE retry_once SET state = $5, content = $6, changed_at = {Now} {Mine}";
        Bind(end, now, lease.Key.Consumer, lease.Key.Value, lease.Token);
        if (result is not null)
        {
            Bind(end, [(short)KeyRow.StateOf(result), result.Content.ToArray()]);
        }

        return end;
    }

    public static NpgsqlCommand Prune(NpgsqlDataSource source, DateTimeOffset? now, TimeSpan retention, int most)
    {
        var prune = source.CreateCommand(
            $"""
            DELETE FROM retry_once WHERE (consumer, key) IN (
                SELECT consumer, key FROM retry_once WHERE changed_at < {Now} - $2 AND lease_until < {Now}
                ORDER BY changed_at LIMIT $3 FOR UPDATE SKIP LOCKED)
            """);
        Bind(prune, now, retention, most);
        return prune;
    }

    public static NpgsqlCommand Forget(NpgsqlDataSource source, DateTimeOffset? now, IdempotencyKey key)
    {
        var forget = source.CreateCommand($"DELETE FROM retry_once WHERE consumer = $2 AND key = $3 AND (state <> 0 OR lease_until <= {Now})");
        Bind(forget, now, key.Consumer, key.Value);
        return forget;
    }

    public static NpgsqlCommand Count(NpgsqlDataSource source, DateTimeOffset? now)
    {
        var count = source.CreateCommand(
            $"""
            SELECT consumer, count(*) FILTER (WHERE state = 0 AND lease_until > {Now}), count(*) FILTER (WHERE state = 0 AND lease_until <= {Now}),
                count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2), min(changed_at)
            FROM retry_once GROUP BY consumer ORDER BY consumer
            """);
        Bind(count, now);
        return count;
    }

    public static NpgsqlCommand Find(NpgsqlDataSource source, DateTimeOffset? now, string value)
    {
        var find = source.CreateCommand(
            $"""
            SELECT consumer, key, state, token, hash, coalesce(length(content), 0), lease_until, lease_until <= {Now}, changed_at
            FROM retry_once WHERE key = $2 ORDER BY consumer
            """);
        Bind(find, now, value);
        return find;
    }

    private static void Bind(NpgsqlCommand command, DateTimeOffset? now, params ReadOnlySpan<object> values)
    {
        command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.TimestampTz, Value = now is { } time ? time : DBNull.Value });
        Bind(command, values);
    }

    private static void Bind(NpgsqlCommand command, params ReadOnlySpan<object> values)
    {
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }
    }
}
