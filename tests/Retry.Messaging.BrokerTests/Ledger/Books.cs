using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Retry.Messaging.BrokerTests.Ledger;

/// <summary>The books of a shop, in the database of its idempotency store. A charge is two entries, and the sum of all of them is nothing.</summary>
internal sealed class Books(string database, string connectionString)
{
    public const string Sqlite = "sqlite";
    public const string PostgreSql = "postgresql";

    public const string Shop = "shop";
    private const string Customers = "customers";

    /// <summary>Which of the two it is.</summary>
    public string Database => database;

    public static async Task<Books> CreateAsync(string database, string connectionString)
    {
        var books = new Books(database, connectionString);
        await books.AskAsync("CREATE TABLE entries (account TEXT NOT NULL, payment TEXT NOT NULL, cents BIGINT NOT NULL)");
        await books.AskAsync("CREATE INDEX entries_payment ON entries (payment)");
        return books;
    }

    public IServiceCollection AddStore(IServiceCollection services) =>
        database == Sqlite ? services.AddSqliteIdempotency(connectionString) : services.AddPostgreSqlIdempotency(connectionString);

    /// <summary>Enters a charge, in two statements.</summary>
    public static async Task EnterAsync(DbConnection connection, DbTransaction transaction, string payment, long cents)
    {
        foreach (var (account, amount) in new[] { (Customers, -cents), (Shop, cents) })
        {
            await using var insert = connection.CreateCommand();
            insert.Transaction = transaction;
            insert.CommandText = $"INSERT INTO entries VALUES ('{account}', '{payment}', {amount})";
            await insert.ExecuteNonQueryAsync();
        }
    }

    /// <summary>Enters a charge in a transaction of its own, as another system would that keeps no keys.</summary>
    public async Task EnterAloneAsync(string payment, long cents)
    {
        await using var connection = await ConnectAsync();
        await using var transaction = connection is SqliteConnection file ? file.BeginTransaction(deferred: false) : await connection.BeginTransactionAsync();
        await EnterAsync(connection, transaction, payment, cents);
        await transaction.CommitAsync();
    }

    public async Task<bool> HasAsync(string payment) => await AskAsync($"SELECT count(*) FROM entries WHERE payment = '{payment}'") > 0;

    /// <summary>Asks for a number.</summary>
    public async Task<long> AskAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }

    /// <summary>Asks for texts.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync();
        List<string> rows = [];
        while (await reader.ReadAsync())
        {
            rows.Add(string.Join(' ', Enumerable.Range(0, reader.FieldCount).Select(column => Convert.ToString(reader.GetValue(column), CultureInfo.InvariantCulture))));
        }

        return rows;
    }

    private async Task<DbConnection> ConnectAsync()
    {
        DbConnection connection = database == Sqlite ? new SqliteConnection(connectionString) : new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        return connection;
    }
}
