using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Retry.Messaging.Idempotency;

namespace Retry.Messaging.Tests.Idempotency;

/// <summary>A service's own database: a file with a table of effects.</summary>
internal sealed class SqliteFile : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("once-");

    public SqliteFile()
    {
        using var connection = new SqliteConnection(ConnectionString);
        connection.Open();
        using var create = connection.CreateCommand();
        create.CommandText = "CREATE TABLE effects (what TEXT NOT NULL)";
        create.ExecuteNonQuery();
    }

    public string ConnectionString => $"Data Source={Path.Combine(_folder.FullName, "shop.db")}";

    public static async Task WriteAsync(IdempotencyTransaction transaction, string what)
    {
        await using DbCommand insert = transaction.Connection.CreateCommand();
        insert.Transaction = transaction.Transaction;
        insert.CommandText = $"INSERT INTO effects VALUES ('{what}')";
        await insert.ExecuteNonQueryAsync();
    }

    public int Count()
    {
        using var connection = new SqliteConnection(ConnectionString);
        connection.Open();
        using var count = connection.CreateCommand();
        count.CommandText = "SELECT count(*) FROM effects";
        return Convert.ToInt32(count.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
    }
}
