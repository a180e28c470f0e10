using System.Text.Json;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Parking;
using Retry.Messaging.Cli.Hosting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Cli;

/// <summary>Every command that only looks works for a user who may only read, and leaves the broker as it was.</summary>
[Collection(OperatorBroker.Name)]
public sealed class ReadOnlyUserTests(BrokerFixture broker)
{
    [Theory]
    [InlineData("parked list payments", ExitCode.Done)]
    [InlineData("parked show payments id-000000", ExitCode.Done)]
    [InlineData("parked replay payments --all --dry-run", ExitCode.Done)]
    [InlineData("parked discard payments --all --dry-run", ExitCode.Done)]
    [InlineData("lost list", ExitCode.Done)]
    [InlineData("lost replay --all --dry-run", ExitCode.Done)]
    [InlineData("topology plan --point payments", ExitCode.Done)]
    [InlineData("topology verify --point payments", ExitCode.Finding)]
    [InlineData("limiter status payments", ExitCode.Done)]
    [InlineData("points", ExitCode.Done)]
    [InlineData("nodes", ExitCode.Done)]
    public async Task A_command_that_only_reads_needs_no_more_and_changes_nothing(string line, int exitCode)
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(3);
        using var management = new RawManagement(broker.Broker, lot.Address);
        await management.SetUserAsync("reader", "reader", mayConfigure: "^$", mayWrite: "^$", tags: "monitoring");
        var reader = new UriBuilder(lot.Address) { UserName = "reader", Password = "reader" }.Uri;
        var before = await ObjectsAsync(management);

        var run = await CommandLineRun.RunAsync(reader, broker.Broker.ManagementUri, line);

        run.ExitCode.ShouldBe(exitCode, run.Error);
        (await ObjectsAsync(management)).ShouldBe(before);
        (await lot.WaitForCountAsync(RawLot.Parked, 3)).ShouldBe(3u);
    }

    // exchanges, queues and bindings by name
    private static async Task<IReadOnlyList<string>> ObjectsAsync(RawManagement management)
    {
        var objects = new List<string>();
        foreach (var path in (string[])["exchanges/VHOST?columns=name,type", "queues/VHOST?disable_stats=true&columns=name", "bindings/VHOST?columns=source,destination,routing_key"])
        {
            using var answer = JsonDocument.Parse(await management.GetAsync(path));
            objects.AddRange(answer.RootElement.EnumerateArray().Select(item => string.Join(' ', item.EnumerateObject().OrderBy(field => field.Name, StringComparer.Ordinal).Select(field => field.Value.ToString()))));
        }

        return [.. objects.Order(StringComparer.Ordinal)];
    }
}
