using System.Data.Common;
using Microsoft.Data.Sqlite;
using Retry.Messaging.Idempotency;

namespace Payments.Service;

/// <summary>Our books: a row for each payment, in the database in which the idempotency store has its table, too.</summary>
internal sealed class PaymentBooks(string file)
{
    private const string Schema =
        """
        PRAGMA journal_mode = WAL;
        PRAGMA busy_timeout = 10000;
        CREATE TABLE IF NOT EXISTS payments (
            tenant TEXT NOT NULL, payment_id TEXT NOT NULL, cents INTEGER NOT NULL, state TEXT NOT NULL, PRIMARY KEY (tenant, payment_id));
        """;

    // what has ended stays as it is
    private const string Upsert =
        """
        INSERT INTO payments VALUES ($tenant, $payment, $cents, $state) ON CONFLICT (tenant, payment_id)
        DO UPDATE SET state = excluded.state WHERE state NOT IN ('Completed', 'Declined', 'Voided')
        """;

    public static string ConnectionString(string file) => $"Data Source={file}";

    /// <summary>Enters a state together with the mark that its message is done, or not at all.</summary>
    public static void Enter(IdempotencyTransaction transaction, ChargeRequested charge, PaymentState state)
    {
        using var command = transaction.Connection.CreateCommand();
        command.Transaction = transaction.Transaction;
        Write(command, charge, state);
    }

    /// <summary>Enters a state at once, so that it is there after a crash.</summary>
    public void Set(ChargeRequested charge, PaymentState state)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        Write(command, charge, state);
    }

    /// <summary>What one tenant may see: how many of its payments are in which state, and their sum in cents.</summary>
    public IReadOnlyDictionary<PaymentState, (int Payments, long Cents)> Of(string tenant)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT state, count(*), sum(cents) FROM payments WHERE tenant = $tenant GROUP BY state";
        command.Parameters.AddWithValue("$tenant", tenant);
        using var reader = command.ExecuteReader();
        var states = new Dictionary<PaymentState, (int, long)>();
        while (reader.Read())
        {
            states.Add(Enum.Parse<PaymentState>(reader.GetString(0)), (reader.GetInt32(1), reader.GetInt64(2)));
        }

        return states;
    }

    private static void Write(DbCommand command, ChargeRequested charge, PaymentState state)
    {
        command.CommandText = Upsert;
        command.Parameters.Add(new SqliteParameter("$tenant", charge.Tenant));
        command.Parameters.Add(new SqliteParameter("$payment", charge.PaymentId));
        command.Parameters.Add(new SqliteParameter("$cents", (long)(charge.Amount * 100)));
        command.Parameters.Add(new SqliteParameter("$state", state.ToString()));
        command.ExecuteNonQuery();
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(ConnectionString(file));
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = Schema;
        command.ExecuteNonQuery();
        return connection;
    }
}
