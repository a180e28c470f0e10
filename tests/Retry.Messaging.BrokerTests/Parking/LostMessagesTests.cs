using System.Text.Json;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Parking;

/// <summary>What has no destination leaves the ladder, stalls nobody, and goes on when its queue is back.</summary>
[Collection(LotBroker.Name)]
public sealed class LostMessagesTests(BrokerFixture broker, ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    // milliseconds of the 99th percentile
    private const double AllowedDifference = 250;

    private static readonly Dictionary<string, object?> Quorum = new() { ["x-queue-type"] = "quorum" };

    // lateness to the millisecond wants a machine with nothing else to do
    [Trait("Category", "Long")]
    [Fact]
    public Task A_deleted_queue_delays_nobody_else_and_its_messages_can_be_replayed() => DeleteAQueueUnderLoadAsync(200);

    [Fact]
    [Trait("Category", "Long")]
    public Task A_thousand_messages_for_a_deleted_queue_delay_nobody_else() => DeleteAQueueUnderLoadAsync(1000);

    [Fact]
    public async Task A_deleted_rung_of_each_level_loses_nothing_blocks_nobody_and_is_mended_by_apply()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var ladder = await ClimbingLadder.CreateAsync(address, "orders");
        await using var channel = await ladder.Connection.CreateChannelAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        for (var i = 0; i < 80; i++)
        {
            await ladder.ClimbAsync("orders", TimeSpan.FromMilliseconds(5200), $"good-{i}");
            // two hops: confirmed on the rung for 5 s, then the rung for 100 ms, which will be missing by then
            await ladder.ClimbAsync("orders", TimeSpan.FromMilliseconds(5100), $"second-hop-{i}");
            if (i != 40)
            {
                continue;
            }

            // what is in a deleted queue is gone; nothing waits in these, since all that has been sent is in the rung for 5 s
            foreach (var level in DelayLadder.Levels)
            {
                await channel.QueueDeleteAsync(BrokerNames.Rung(level, 1));
                await ladder.ClimbAsync("orders", level.Delay(1), $"through-{level.Name}");
            }
        }

        await raw.WaitForCountAsync("orders", 80, Deadline);
        await raw.WaitForCountAsync(BrokerNames.LostQueue, 88, Deadline);
        (await raw.DrainAsync("orders")).ShouldAllBe(message => message.BasicProperties.MessageId!.StartsWith("good-"));

        (await CommandLineRun.RunAsync(address, null, "topology apply")).Output.ShouldContain("8 of the exchanges and queues are new");
        await ladder.ClimbAsync("orders", TimeSpan.FromMilliseconds(1100), "after");
        await raw.WaitForCountAsync("orders", 1, Deadline);

        // what is due later goes on waiting, where it would have waited
        var replay = await CommandLineRun.RunAsync(address, null, "lost replay --all --yes");
        replay.ExitCode.ShouldBe(ExitCode.Done, replay.Error);
        replay.Output.ShouldContain("Replayed 88 messages: 88 for 'orders'.");
        await raw.WaitForCountAsync("orders", 1 + 80 + 3, Deadline);
        (await raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
    }

    [Fact]
    public async Task Lists_and_replays_by_queue_with_the_attempts_they_have()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        for (var i = 0; i < 3; i++)
        {
            await PublishAsync(lot, "orders", $"lost-{i}", attempt: 4);
        }

        await PublishAsync(lot, "invoices.release", "limited", attempt: 2, origin: "invoices");
        await PublishAsync(lot, "strange", "stranger", attempt: null);
        // its parking lot is not there
        await lot.Channel.BasicPublishAsync(BrokerNames.ParkingExchange, "gone", mandatory: false, Properties("parked", "gone", 9, reason: Outcomes.ParkReason.Exhausted), "{}"u8.ToArray());
        await lot.WaitForCountAsync(BrokerNames.LostQueue, 6);

        var list = await CommandLineRun.RunAsync(lot.Address, null, "lost list --json");
        var lines = list.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToDictionary(line => line.GetProperty("id").GetString()!);
        lines["lost-0"].GetProperty("queue").GetString().ShouldBe("orders");
        lines["lost-0"].GetProperty("reason").GetString().ShouldBe("Undeliverable");
        lines["limited"].GetProperty("queue").GetString().ShouldBe("invoices");
        lines["parked"].GetProperty("queue").GetString().ShouldBe("gone");
        lines["parked"].GetProperty("reason").GetString().ShouldBe("Exhausted");
        (await lot.WaitForCountAsync(BrokerNames.LostQueue, 6)).ShouldBe(6u);
        (await CommandLineRun.RunAsync(lot.Address, null, "lost list --queue orders")).Output.ShouldContain("3 messages: 3 for 'orders'.");
        (await lot.WaitForCountAsync(BrokerNames.LostQueue, 6)).ShouldBe(6u);

        var early = await CommandLineRun.RunAsync(lot.Address, null, "lost replay --queue orders --yes");
        early.ExitCode.ShouldBe(ExitCode.Failed);
        early.Error.ShouldContain("Found no queue 'orders' for 3 messages; they stay in 'retry.v1.lost'");
        (await lot.WaitForCountAsync(BrokerNames.LostQueue, 6)).ShouldBe(6u);

        foreach (var queue in (string[])["orders", "invoices"])
        {
            await lot.Channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, Quorum);
        }

        await TopologyDeclarer.DeclareAsync(lot.Connection, TopologyPlan.Point(RetryPointNames.For("gone"), withRelease: false) with { Bindings = [] });
        (await CommandLineRun.RunAsync(lot.Address, null, "lost replay lost-1")).Output.ShouldContain("Replayed 1 message: 1 for 'orders'.");
        await lot.WaitForCountAsync(BrokerNames.LostQueue, 5);
        (await CommandLineRun.RunAsync(lot.Address, null, "lost replay --all --dry-run")).Output.ShouldContain("would replay 5 messages");
        await lot.WaitForCountAsync(BrokerNames.LostQueue, 5);
        var rest = await CommandLineRun.RunAsync(lot.Address, null, "lost replay --all --yes --json");
        rest.ExitCode.ShouldBe(ExitCode.Failed);
        using var document = JsonDocument.Parse(rest.Output);
        document.RootElement.GetProperty("count").GetInt32().ShouldBe(4);
        document.RootElement.GetProperty("withoutDestination").GetProperty("strange").GetInt32().ShouldBe(1);

        var orders = await lot.DrainAsync("orders");
        orders.Count.ShouldBe(3);
        orders.ShouldAllBe(message => RetryHeaderReader.Read(message.BasicProperties.Headers!).Attempt == 4 && message.BasicProperties.Headers!.ContainsKey("tenant"));
        orders[0].Exchange.ShouldBe(BrokerNames.ReturnExchange);
        (await lot.DrainAsync("invoices")).Count.ShouldBe(1);
        (await CommandLineRun.RunAsync(lot.Address, null, "parked list gone")).Output.ShouldContain("1 message: 1 Exhausted.");
        (await lot.WaitForCountAsync(BrokerNames.LostQueue, 1)).ShouldBe(1u);
    }

    private async Task DeleteAQueueUnderLoadAsync(int lost)
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var ladder = await ClimbingLadder.CreateAsync(address, "orders");
        await using var raw = await RawClient.ConnectAsync(address);
        var differences = new List<double>();
        var all = 0;

        // Both halves carry the same load, so that only the deletion differs. What else runs on the machine only ever adds: a
        // stall shows in every pair, a hiccup in one.
        while (differences.Count < 3 && (differences.Count == 0 || differences[^1] >= AllowedDifference))
        {
            var round = differences.Count;
            await ladder.DeclareAsync("doomed");
            var before = ClimbingLadder.P99(await ladder.MeasureAsync("orders", $"before-{round}", () => LoadAsync($"kept-{round}")));
            await raw.WaitForCountAsync("doomed", (uint)lost, Deadline);
            await raw.DrainAsync("doomed");
            var during = ClimbingLadder.P99(await ladder.MeasureAsync("orders", $"during-{round}", async () =>
            {
                await LoadAsync($"lost-{round}");
                await using var channel = await ladder.Connection.CreateChannelAsync();
                await channel.QueueDeleteAsync("doomed");
            }));
            all += lost;
            differences.Add(during - before);
            output.WriteLine($"RabbitMQ {broker.Broker.Version}: p99 lateness of another destination {before:0} ms before, {during:0} ms while {lost} messages for a deleted queue climb.");
            await raw.WaitForCountAsync(BrokerNames.LostQueue, (uint)all, Deadline);
        }

        differences.Min().ShouldBeLessThan(AllowedDifference);
        // two hops, 2 s and 300 ms: deleted while they climb
        Task LoadAsync(string label) => Task.WhenAll(Enumerable.Range(0, lost).Select(i => ladder.ClimbAsync("doomed", TimeSpan.FromMilliseconds(2300), $"{label}-{i}")));

        (await CommandLineRun.RunAsync(address, null, "lost replay --all --yes")).Error.ShouldContain("Found no queue 'doomed'");
        await raw.WaitForCountAsync(BrokerNames.LostQueue, (uint)all, Deadline);
        await using (var channel = await ladder.Connection.CreateChannelAsync())
        {
            await channel.QueueDeclareAsync("doomed", durable: true, exclusive: false, autoDelete: false, Quorum);
        }

        var replay = await CommandLineRun.RunAsync(address, null, "lost replay --all --yes");
        replay.ExitCode.ShouldBe(ExitCode.Done, replay.Error);
        await raw.WaitForCountAsync("doomed", (uint)all, Deadline);
        (await raw.DrainAsync("doomed")).Select(message => message.BasicProperties.MessageId).Distinct().Count().ShouldBe(all);
    }

    private static Task PublishAsync(RawLot lot, string destination, string id, int? attempt, string? origin = null)
    {
        var route = DelayLadder.Route(TimeSpan.Zero, destination);
        return lot.Channel.BasicPublishAsync(route.Exchange, route.RoutingKey, mandatory: false, Properties(id, origin ?? destination, attempt), "{}"u8.ToArray()).AsTask();
    }

    private static BasicProperties Properties(string id, string origin, int? attempt, Outcomes.ParkReason? reason = null)
    {
        var properties = new BasicProperties { MessageId = id, Persistent = true, Headers = new Dictionary<string, object?> { ["tenant"] = "acme" } };
        if (attempt is { } number)
        {
            RetryHeaderWriter.Write(properties.Headers!, new RetryState { Id = id, Attempt = number, Reason = reason }, origin);
        }

        return properties;
    }
}
