using Npgsql;
using Xunit;

namespace Retry.Messaging.Tests.Postgres;

/// <summary>One server for a test class or collection (<c>IClassFixture</c>, <c>ICollectionFixture</c>); each test makes a database of its own in it.</summary>
/// <remarks>Where there is no PostgreSQL it does nothing: the tests are marked with <see cref="PostgresFactAttribute"/>, and skipped.</remarks>
public sealed class PostgresFixture : IAsyncLifetime
{
    private PostgresServer? _server;

    internal PostgresServer Server => _server ?? throw new InvalidOperationException($"Wants PostgreSQL: {InstalledPostgres.Obstacle}. Mark the test with PostgresFact or PostgresTheory.");

    public async Task InitializeAsync() => _server = InstalledPostgres.Obstacle is null ? await PostgresServer.StartAsync() : null;

    public async Task DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    /// <inheritdoc cref="PostgresServer.CreateDatabaseAsync"/>
    public Task<string> CreateDatabaseAsync() => Server.CreateDatabaseAsync();
}
