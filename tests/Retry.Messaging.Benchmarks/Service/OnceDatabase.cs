using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Tests.Postgres;

namespace Retry.Messaging.Benchmarks.Service;

/// <summary>A service's own database, empty at first, with a store in it. A commit waits for the disk, as in production.</summary>
internal abstract class OnceDatabase : IAsyncDisposable
{
    public const string Effects = "CREATE TABLE effects (number INTEGER NOT NULL)";

    /// <summary>Gets the SQL that makes so many done marks, beginning with a key.</summary>
    public abstract string Marks { get; }

    /// <summary>Adds the store to a service.</summary>
    public abstract void AddTo(IServiceCollection services);

    /// <summary>Opens a connection of its own.</summary>
    public abstract DbConnection Connect();

    /// <summary>Gets how many bytes the store takes on the disk.</summary>
    public abstract Task<long> BytesAsync();

    /// <summary>Writes one effect of a parcel, as a consumer would.</summary>
    public static async Task WriteAsync(IdempotencyTransaction transaction, int number)
    {
        await using var insert = transaction.Connection.CreateCommand();
        insert.Transaction = transaction.Transaction;
        insert.CommandText = string.Create(CultureInfo.InvariantCulture, $"INSERT INTO effects VALUES ({number})");
        await insert.ExecuteNonQueryAsync();
    }

    /// <summary>Runs a statement.</summary>
    public async Task<object?> ExecuteAsync(string sql)
    {
        await using var connection = Connect();
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = 0;
        return await command.ExecuteScalarAsync();
    }

    public abstract ValueTask DisposeAsync();

    /// <summary>A file of SQLite in a folder that goes with it.</summary>
    public static async Task<OnceDatabase> SqliteAsync()
    {
        var database = new SqliteDatabase();
        await database.ExecuteAsync(Effects);
        return database;
    }

    /// <summary>A database of PostgreSQL.</summary>
    public static async Task<OnceDatabase> PostgreSqlAsync(PostgresServer server)
    {
        var database = new PostgreSqlDatabase(await server.CreateDatabaseAsync());
        await database.ExecuteAsync(Effects);
        return database;
    }

    private sealed class SqliteDatabase : OnceDatabase
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bench-once-");

        private string File => Path.Combine(_folder.FullName, "shop.db");

        public override string Marks =>
            """
            WITH RECURSIVE n(i) AS (SELECT @first UNION ALL SELECT i + 1 FROM n WHERE i < @last)
            INSERT INTO retry_once (consumer, key, hash, state, content, lease_until, changed_at)
            SELECT 'parcels/Retry.Messaging.Benchmarks.Service.OnceConsumer/Retry.Messaging.Benchmarks.Service.Parcel', printf('%08x-0000-0000-0000-000000000000', i), hex(zeroblob(32)), 1, zeroblob(0), 0, i FROM n
            """;

        public override void AddTo(IServiceCollection services) => services.AddSqliteIdempotency($"Data Source={File}");

        public override DbConnection Connect() => new SqliteConnection($"Data Source={File};Pooling=False");

        public override async Task<long> BytesAsync()
        {
            await ExecuteAsync("PRAGMA wal_checkpoint(TRUNCATE)");
            return new FileInfo(File).Length;
        }

        public override ValueTask DisposeAsync()
        {
            SqliteConnection.ClearAllPools();
            _folder.Delete(recursive: true);
            return ValueTask.CompletedTask;
        }
    }

    private sealed class PostgreSqlDatabase(string connectionString) : OnceDatabase
    {
        public override string Marks =>
            """
            INSERT INTO retry_once (consumer, key, token, hash, state, content, lease_until, changed_at)
            SELECT 'parcels/Retry.Messaging.Benchmarks.Service.OnceConsumer/Retry.Messaging.Benchmarks.Service.Parcel', lpad(to_hex(i), 8, '0') || '-0000-0000-0000-000000000000', nextval('retry_once_token'), repeat('0', 64), 1, ''::bytea, to_timestamp(0), to_timestamp(i / 1000.0) FROM generate_series(@first, @last) i
            """;

        public override void AddTo(IServiceCollection services) => services.AddPostgreSqlIdempotency(connectionString);

        public override DbConnection Connect() => new NpgsqlConnection(connectionString + ";Pooling=False");

        public override async Task<long> BytesAsync() =>
            Convert.ToInt64(await ExecuteAsync("SELECT pg_total_relation_size('retry_once')"), CultureInfo.InvariantCulture);

        public override ValueTask DisposeAsync()
        {
            NpgsqlConnection.ClearAllPools();
            return ValueTask.CompletedTask;
        }
    }
}
