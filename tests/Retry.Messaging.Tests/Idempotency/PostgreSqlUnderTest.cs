using System.Globalization;
using Npgsql;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Idempotency.PostgreSql;
using Retry.Messaging.Idempotency.Testing;
using Retry.Messaging.Tests.Postgres;

namespace Retry.Messaging.Tests.Idempotency;

/// <summary>The store in PostgreSQL, on a database of its own.</summary>
internal sealed class PostgreSqlUnderTest : IStoreUnderTest, IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;

    private PostgreSqlUnderTest(string connectionString)
    {
        ConnectionString = connectionString;
        _source = NpgsqlDataSource.Create(connectionString);
    }

    public string ConnectionString { get; }

    public static async Task<PostgreSqlUnderTest> CreateAsync(PostgresFixture postgres)
    {
        var database = await postgres.CreateDatabaseAsync();
        await PostgresServer.ExecuteAsync(database, "CREATE TABLE effects (what TEXT NOT NULL)");
        return new PostgreSqlUnderTest(database);
    }

    public IIdempotencyStore Open(TimeProvider? time) => OpenStore(time);

    public PostgreSqlIdempotencyStore OpenStore(TimeProvider? time) => new(_source, TimeSpan.FromDays(7), time);

    // the SQL is the same
    public Task WriteOwnAsync(IdempotencyTransaction transaction) => SqliteFile.WriteAsync(transaction, "charged");

    public async Task<int> CountOwnAsync() =>
        Convert.ToInt32(await PostgresServer.ExecuteAsync(ConnectionString, "SELECT count(*) FROM effects"), CultureInfo.InvariantCulture);

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
