using System.Text.Json;
using Retry.Messaging.BrokerTests.Parking;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Outcomes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Cli;

/// <summary><c>parked list --group-by</c>: causes instead of messages, and the lot as it was.</summary>
[Collection(LotBroker.Name)]
public sealed class ParkedGroupsTests(BrokerFixture broker)
{
    [Fact]
    public async Task Groups_are_counted_and_conditions_hold_beside_them()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(30, number => number % 3 == 0 ? ParkReason.Failed : ParkReason.Exhausted);
        await lot.WaitForCountAsync(RawLot.Parked, 30);

        (await GroupsAsync(lot, "parked list payments --group-by reason --json")).ShouldBe([("Exhausted", 20L), ("Failed", 10L)]);
        (await GroupsAsync(lot, "parked list payments --group-by header:tenant --reason Failed --json")).ShouldBe([("acme", 10L)]);
        (await GroupsAsync(lot, "parked list payments --group-by fingerprint --json")).ShouldBe([("Shop.GatewayException: *", 30L)]);

        var table = await CommandLineRun.RunAsync(lot.Address, null, "parked list payments --group-by exception");
        table.ExitCode.ShouldBe(ExitCode.Done, table.Error);
        table.Output.ShouldContain("Shop.GatewayException");
        (await lot.WaitForCountAsync(RawLot.Parked, 30)).ShouldBe(30u);
    }

    private static async Task<IReadOnlyList<(string Name, long Count)>> GroupsAsync(RawLot lot, string line)
    {
        var run = await CommandLineRun.RunAsync(lot.Address, null, line);
        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        return [.. run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(text =>
        {
            using var document = JsonDocument.Parse(text);
            return (document.RootElement.GetProperty("name").GetString()!, document.RootElement.GetProperty("count").GetInt64());
        })];
    }
}
