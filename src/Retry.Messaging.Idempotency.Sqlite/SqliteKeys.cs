using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Retry.Messaging.Idempotency.Sqlite;

/// <summary>The table of keys, on the one connection that writes: each statement is prepared once.</summary>
/// <remarks>
/// The row's id is the fencing token. A lease that begins replaces the row, and SQLite gives a new row a larger id than any that
/// the table ever had. So a process whose lease was taken over finds no row of its token, and commits nothing.
/// </remarks>
internal sealed class SqliteKeys : IDisposable
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

    private readonly Dictionary<string, SqliteCommand> _commands = [];

    private SqliteKeys(SqliteConnection connection) => Connection = connection;

    public SqliteConnection Connection { get; }

    /// <summary>Gets or sets the transaction that the statements stand in.</summary>
    public SqliteTransaction? Transaction { get; set; }

    /// <summary>Opens the file, and makes the table where it is missing.</summary>
    public static SqliteKeys Open(string connectionString)
    {
        var keys = new SqliteKeys(new SqliteConnection(connectionString));
        try
        {
            keys.Connection.Open();
            using var schema = keys.Connection.CreateCommand();

            // waits for another process's lock in steps of milliseconds; Microsoft.Data.Sqlite alone looks every 150 ms
            schema.CommandText = $"PRAGMA busy_timeout = 1000; {Schema}";
            schema.ExecuteNonQuery();
            return keys;
        }
        catch
        {
            keys.Dispose();
            throw;
        }
    }

    public KeyRow? Read(IdempotencyKey key)
    {
        var select = Command("SELECT token, hash, state, content, lease_until FROM retry_once WHERE consumer = $consumer AND key = $key");
        Set(select, "$consumer", key.Consumer);
        Set(select, "$key", key.Value);
        using var reader = select.ExecuteReader();
        return !reader.Read() ? null : new KeyRow(
            reader.GetInt64(0),
            reader.GetString(1),
            KeyRow.ResultOf((KeyState)reader.GetInt32(2), reader.IsDBNull(3) ? null : reader.GetFieldValue<byte[]>(3)),
            DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(4)));
    }

    public long Begin(IdempotencyRequest request, DateTimeOffset now)
    {
        var insert = Command(
            "INSERT OR REPLACE INTO retry_once (consumer, key, hash, state, lease_until, changed_at) VALUES ($consumer, $key, $hash, 0, $until, $now) RETURNING token");
        Set(insert, "$consumer", request.Key.Consumer);
        Set(insert, "$key", request.Key.Value);
        Set(insert, "$hash", request.ContentHash);
        Set(insert, "$until", (now + request.Lease).ToUnixTimeMilliseconds());
        Set(insert, "$now", now.ToUnixTimeMilliseconds());
        return Convert.ToInt64(insert.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    public bool Renew(long token, TimeSpan rest, DateTimeOffset now)
    {
        var renew = Command("UPDATE retry_once SET lease_until = $until, changed_at = $now WHERE token = $token AND state = 0");
        Set(renew, "$token", token);
        Set(renew, "$until", (now + rest).ToUnixTimeMilliseconds());
        Set(renew, "$now", now.ToUnixTimeMilliseconds());
        return renew.ExecuteNonQuery() > 0;
    }

    public bool End(long token, IdempotencyResult? result, DateTimeOffset now)
    {
        var end = Command(result is null
            ? "DELETE FROM retry_once WHERE token = $token AND state = 0"
            : "UPDATE retry_once SET state = $state, content = $content, changed_at = $now WHERE token = $token AND state = 0");
        Set(end, "$token", token);
        if (result is not null)
        {
            Set(end, "$state", (int)KeyRow.StateOf(result));
            Set(end, "$content", result.Content.ToArray());
            Set(end, "$now", now.ToUnixTimeMilliseconds());
        }

        return end.ExecuteNonQuery() > 0;
    }

    public int Prune(int most, DateTimeOffset before, DateTimeOffset now)
    {
        var prune = Command(
            "DELETE FROM retry_once WHERE token IN (SELECT token FROM retry_once WHERE changed_at < $before AND lease_until < $now ORDER BY changed_at LIMIT $most)");
        Set(prune, "$before", before.ToUnixTimeMilliseconds());
        Set(prune, "$now", now.ToUnixTimeMilliseconds());
        Set(prune, "$most", most);
        return prune.ExecuteNonQuery();
    }

    public bool Forget(IdempotencyKey key, DateTimeOffset now)
    {
        var forget = Command("DELETE FROM retry_once WHERE consumer = $consumer AND key = $key AND (state <> 0 OR lease_until <= $now)");
        Set(forget, "$consumer", key.Consumer);
        Set(forget, "$key", key.Value);
        Set(forget, "$now", now.ToUnixTimeMilliseconds());
        return forget.ExecuteNonQuery() > 0;
    }

    public void Dispose()
    {
        foreach (var command in _commands.Values)
        {
            command.Dispose();
        }

        Transaction?.Dispose();
        Connection.Dispose();
    }

    private static void Set(SqliteCommand command, string name, object value)
    {
        if (command.Parameters.Contains(name))
        {
            command.Parameters[name].Value = value;
        }
        else
        {
            command.Parameters.AddWithValue(name, value);
        }
    }

    private SqliteCommand Command(string text)
    {
        if (!_commands.TryGetValue(text, out var command))
        {
            command = new SqliteCommand(text, Connection);
            _commands.Add(text, command);
        }

        command.Transaction = Transaction;
        return command;
    }
}
