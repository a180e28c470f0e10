using Microsoft.Data.Sqlite;

namespace Retry.Messaging.Idempotency.Sqlite;

/// <summary>What operators read. It has a connection of its own: in SQLite readers do not wait for the writer, nor it for them.</summary>
internal static class SqliteReports
{
    public static IReadOnlyList<IdempotencyStats> Count(string connectionString, DateTimeOffset now) => Read(
        connectionString,
        """
        SELECT consumer, sum(state = 0 AND lease_until > $now), sum(state = 0 AND lease_until <= $now), sum(state = 1), sum(state = 2), min(changed_at)
        FROM retry_once GROUP BY consumer ORDER BY consumer
        """,
        ("$now", now.ToUnixTimeMilliseconds()),
        row => new IdempotencyStats(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), Time(row, 5)));

    public static IReadOnlyList<IdempotencyEntry> Find(string connectionString, string value, DateTimeOffset now) => Read(
        connectionString,
        "SELECT consumer, key, state, token, hash, coalesce(length(content), 0), lease_until, changed_at FROM retry_once WHERE key = $key ORDER BY consumer",
        ("$key", value),
        row => new IdempotencyEntry(
            new IdempotencyKey(row.GetString(0), row.GetString(1)),
            (KeyState)row.GetInt32(2),
            row.GetInt64(3),
            row.GetString(4),
            row.GetInt64(5),
            Time(row, 6),
            Time(row, 6) <= now,
            Time(row, 7)));

    private static List<T> Read<T>(string connectionString, string sql, (string Name, object Value) parameter, Func<SqliteDataReader, T> convert)
    {
        using var connection = new SqliteConnection(connectionString);
        connection.Open();
        using var table = new SqliteCommand("SELECT 1 FROM sqlite_master WHERE name = 'retry_once'", connection);
        if (table.ExecuteScalar() is null)
        {
            return [];
        }

        using var command = new SqliteCommand(sql, connection);
        command.Parameters.AddWithValue(parameter.Name, parameter.Value);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(convert(reader));
        }

        return rows;
    }

    private static DateTimeOffset Time(SqliteDataReader row, int column) => DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));
}
