using Npgsql;
using Shouldly;

namespace Retry.Messaging.Tests.Postgres;

/// <summary>The database server of the tests is private, and leaves nothing behind.</summary>
public sealed class PostgresServerTests
{
    [PostgresFact]
    public async Task It_listens_on_loopback_without_rights_keeps_its_data_over_a_crash_and_leaves_nothing_behind()
    {
        var server = await PostgresServer.StartAsync();
        await using (server)
        {
            var database = await server.CreateDatabaseAsync();
            await PostgresServer.ExecuteAsync(database, "CREATE TABLE effects (what TEXT); INSERT INTO effects VALUES ('charged')");
            (await PostgresServer.ExecuteAsync(database, "SHOW listen_addresses")).ShouldBe("127.0.0.1");
            (await File.ReadAllTextAsync($"/proc/{server.ProcessId}/status")).ShouldNotContain("Uid:\t0\t");
            await server.KillAsync();
            await Should.ThrowAsync<NpgsqlException>(() => PostgresServer.ExecuteAsync(database, "SELECT 1"));

            await server.StartAgainAsync();

            (await PostgresServer.ExecuteAsync(database, "SELECT what FROM effects")).ShouldBe("charged");
        }

        Directory.Exists(server.Folder).ShouldBeFalse();
        Directory.Exists($"/proc/{server.ProcessId}").ShouldBeFalse();
    }
}
