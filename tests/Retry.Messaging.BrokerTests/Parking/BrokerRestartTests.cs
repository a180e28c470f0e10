using System.Diagnostics;
using System.Globalization;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Testing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.Testing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Parking;

/// <summary>What a restart of the broker does to messages on the ladder.</summary>
// a node of their own, and minutes
[Trait("Category", "Long")]
public sealed class BrokerRestartTests(OwnNode node, ITestOutputHelper output) : IClassFixture<OwnNode>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    /// <summary>
    /// 1,000 messages for a queue that is gone climb through a restart. Two virtual hosts at once, with the same load at the same distance from the
    /// same restart: what the restart itself and the rest of the machine do to lateness (up to a second, measured), they do to both at once.
    /// </summary>
    [Fact]
    public async Task A_deleted_queue_delays_nobody_else_after_a_restart_either()
    {
        const int messages = 1000;
        const double allowed = 250;
        var kept = await node.Broker.CreateVirtualHostAsync();
        var deleted = await node.Broker.CreateVirtualHostAsync();
        foreach (var address in (Uri[])[kept, deleted])
        {
            await using var ladder = await ClimbingLadder.CreateAsync(address, "orders", "doomed");
            await ladder.MeasureAsync("orders", "warm-up");
            // long enough that they still climb when the broker is back; then through the rungs that the others use
            await Task.WhenAll(Enumerable.Range(0, messages).Select(i => ladder.ClimbAsync("doomed", TimeSpan.FromSeconds(52.3), $"doomed-{i}")));
            if (address == deleted)
            {
                await using var channel = await ladder.Connection.CreateChannelAsync();
                await channel.QueueDeleteAsync("doomed");
            }
        }

        await node.Broker.RestartAsync();
        var clock = Stopwatch.StartNew();
        var (before, during) = (new List<double>(), new List<double>());
        await using (var left = await ClimbingLadder.CreateAsync(kept, "orders"))
        await using (var right = await ClimbingLadder.CreateAsync(deleted, "orders"))
        await using (var keptRaw = await RawClient.ConnectAsync(kept))
        await using (var deletedRaw = await RawClient.ConnectAsync(deleted))
        {
            bool climbing;
            do
            {
                // seen before the round, so that the last one is behind the last of them
                climbing = await keptRaw.CountAsync("doomed") < messages || await deletedRaw.CountAsync(BrokerNames.LostQueue) < messages;
                clock.Elapsed.ShouldBeLessThan(Deadline);
                var at = clock.Elapsed;
                var pair = await Task.WhenAll(left.MeasureAsync("orders", $"round-{before.Count}"), right.MeasureAsync("orders", $"round-{during.Count}"));
                before.AddRange(pair[0]);
                during.AddRange(pair[1]);
                output.WriteLine($"{at.TotalSeconds:0} s after the restart: p99 {ClimbingLadder.P99(pair[0]):0} ms, with a deleted queue {ClimbingLadder.P99(pair[1]):0} ms");
            }
            while (climbing);
        }

        output.WriteLine($"RabbitMQ {node.Broker.Version}: p99 lateness of another destination {ClimbingLadder.P99(before):0} ms, with a deleted queue {ClimbingLadder.P99(during):0} ms");
        before.Count.ShouldBeGreaterThan(200, "they still climbed when the broker was back");
        (ClimbingLadder.P99(during) - ClimbingLadder.P99(before)).ShouldBeLessThan(allowed);
    }

    /// <summary>
    /// On RabbitMQ 3.10 and 4.0 a rung is there before the exchange that it lets go to. What is due by then is tried again after the
    /// confirm timeout of the dead-letter worker: 5 s with our settings, 180 s without, for everybody in that rung.
    /// </summary>
    [Fact]
    public async Task Rungs_whose_messages_came_due_meanwhile_let_them_go_within_seconds_of_a_restart()
    {
        const int each = 40;
        var due = TimeSpan.FromSeconds(15);
        var address = await node.Broker.CreateVirtualHostAsync();
        var rungs = DelayLadder.Levels.SelectMany(level => Enumerable.Range(1, level.MaxDigit).Select(level.Delay)).Where(delay => delay > due).ToList();
        await (await ClimbingLadder.CreateAsync(address, "orders")).DisposeAsync();
        var published = Stopwatch.StartNew();
        await using (var raw = await RawClient.ConnectAsync(address))
        {
            foreach (var delay in rungs)
            {
                var route = DelayLadder.Route(delay, "orders");
                await raw.PublishManyAsync(route.Exchange, route.RoutingKey, Enumerable.Range(0, each).Select(_ => (
                    "{}"u8.ToArray(),
                    new BasicProperties { Persistent = true, Expiration = due.TotalMilliseconds.ToString(CultureInfo.InvariantCulture) })));
            }

            (await raw.CountAsync("orders")).ShouldBe(0u, "they are due while the broker is down");
        }

        await node.Broker.StopAsync();
        await Scenario.PauseUntilAsync(published, due * 1.5);
        await node.Broker.RestartAsync();

        await using var after = await RawClient.ConnectAsync(address);
        var clock = Stopwatch.StartNew();
        var (came, lost) = ((uint?)0, (uint?)0);
        await Eventually.TrueAsync(
            async () => (came = await after.CountAsync("orders")) + (lost = await after.CountAsync(BrokerNames.LostQueue)) >= rungs.Count * each,
            TimeSpan.FromSeconds(30),
            () => $"{came} of {rungs.Count * each} came, {lost} are in the lost queue");

        output.WriteLine($"RabbitMQ {node.Broker.Version}: all had left their rungs {clock.Elapsed.TotalSeconds:0.0} s after the restart, {lost} of {rungs.Count * each} for the lost queue");
        // the bindings come back one by one, too
        if (lost > 0)
        {
            var replay = await CommandLineRun.RunAsync(address, null, "lost replay --all --yes");
            replay.ExitCode.ShouldBe(ExitCode.Done, replay.Error);
            await after.WaitForCountAsync(BrokerNames.LostQueue, 0, Deadline);
        }

        (await after.CountAsync("orders"))!.Value.ShouldBeGreaterThanOrEqualTo((uint)(rungs.Count * each));
    }

    [Fact]
    public async Task Verify_advises_where_a_node_lacks_the_settings_that_make_it_seconds()
    {
        await using var own = await PrivateBroker.StartAsync(new PrivateBrokerOptions { OwnNode = true });
        File.Delete(Path.Combine(own.DataDirectory!, "advanced.config"));
        await own.RestartAsync();
        var address = await own.CreateVirtualHostAsync();
        await (await ClimbingLadder.CreateAsync(address)).DisposeAsync();

        // a node that has just started tells its files some seconds later
        var verify = (ExitCode: 0, Output: string.Empty, Error: string.Empty);
        await Eventually.TrueAsync(
            async () => (verify = await CommandLineRun.RunAsync(address, own.ManagementUri, "topology verify")).Output.Contains("Advice", StringComparison.Ordinal),
            TimeSpan.FromSeconds(30),
            () => $"{verify}",
            every: TimeSpan.FromMilliseconds(500));

        verify.ExitCode.ShouldBe(ExitCode.Done, verify.Output);
        verify.Output.Trim().Split('\n')[1..].ShouldHaveSingleItem().ShouldStartWith("Advice: node '");
        (await CommandLineRun.RunAsync(address, own.ManagementUri, "topology verify --json")).Output.ShouldContain("\"advice\":[\"node '");
    }
}
