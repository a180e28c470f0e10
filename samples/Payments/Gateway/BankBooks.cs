using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Payments.Gateway;

/// <summary>What the gateways know, in a file that is not ours: they were paid, or not, whatever we think.</summary>
internal sealed class BankBooks(string file)
{
    // nobody's money: the disk need not have it
    private const string Schema =
        """
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = OFF;
        PRAGMA busy_timeout = 10000;
        CREATE TABLE IF NOT EXISTS authorizations (
            number INTEGER PRIMARY KEY, reference TEXT NOT NULL, key TEXT NULL UNIQUE, cents INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'authorized');
        CREATE INDEX IF NOT EXISTS authorizations_reference ON authorizations (reference);
        """;

    /// <summary>Reserves money: with a key, once for each key; without one, each time.</summary>
    public long Authorize(string reference, decimal amount, string? key) =>
        Ask("INSERT INTO authorizations (reference, key, cents) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING RETURNING number", reference, key, (long)(amount * 100))
        ?? Ask("SELECT number FROM authorizations WHERE key = $1", key)!.Value;

    public long? Find(string reference) => Ask("SELECT number FROM authorizations WHERE reference = $1", reference);

    public void Capture(long number) => Ask("UPDATE authorizations SET state = 'captured' WHERE number = $1", number);

    public void Void(long number) => Ask("UPDATE authorizations SET state = 'voided' WHERE number = $1", number);

    /// <summary>How much the gateways have taken of a shop's customers, in cents.</summary>
    public long Charged(string tenant) => Ask("SELECT sum(cents) FROM authorizations WHERE state = 'captured' AND reference LIKE $1", tenant + "/%") ?? 0;

    private long? Ask(string sql, params object?[] values)
    {
        using var connection = new SqliteConnection($"Data Source={file}");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = Schema;
        command.ExecuteNonQuery();
        command.CommandText = sql;
        foreach (var (index, value) in values.Index())
        {
            command.Parameters.AddWithValue($"${index + 1}", value ?? DBNull.Value);
        }

        return command.ExecuteScalar() is { } found and not DBNull ? Convert.ToInt64(found, CultureInfo.InvariantCulture) : null;
    }
}
