using System.Diagnostics;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.BrokerTests.Testing;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>The work queue stops taking: nothing piles up before it, nothing is lost, and no other point notices.</summary>
public sealed class WorkQueueTests(OwnNode node, ITestOutputHelper output) : IClassFixture<OwnNode>
{
    private const int Cap = 200;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    // a rate or a window to the millisecond wants a machine with nothing else to do
    [Trait("Category", "Long")]
    [Fact]
    public Task No_flood_when_the_consumers_come_back() => StopConsumersAsync(TimeSpan.FromSeconds(10));

    [LongTheory]
    [Trait("Category", "Long")]
    [InlineData(60)]
    public Task No_flood_after_a_minute_without_consumers(int seconds) => StopConsumersAsync(TimeSpan.FromSeconds(seconds));

    [Fact]
    public async Task A_message_keeps_its_headers_and_gets_its_priority_back()
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        await point.FillAsync(1, more: properties =>
        {
            properties.MessageId = "m-1";
            properties.Headers!["tenant"] = "blue";
            properties.Headers["retry-kept"] = new Dictionary<string, object?> { ["priority"] = 7 };
        });
        point.Start(perSecond: 10);

        await arrivals.WaitForAsync(1, Deadline);

        var arrival = arrivals.All[0];
        arrival.Exchange.ShouldBe("retry.v1.return");
        arrival.Properties.Priority.ShouldBe((byte)7);
        arrival.Properties.MessageId.ShouldBe("m-1");
        arrival.Properties.Headers!.Keys.ShouldBe(["retry-origin", "retry-attempt", "tenant", "retry-kept"], ignoreOrder: true);
        await point.StopAsync();
        (await point.Raw.CountAsync(point.Names.Release)).ShouldBe(0u);
    }

    [Fact]
    public async Task What_has_no_work_queue_is_found_in_the_lost_queue()
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await using (var channel = await point.Raw.Connection.CreateChannelAsync())
        {
            await channel.QueueDeleteAsync(point.Names.Work);
        }

        // for longer than one look at the queue is good for
        await point.FillAsync(40);
        point.Start(perSecond: 20);

        await point.Raw.WaitForCountAsync("retry.v1.lost", 40, Deadline);
        await point.StopAsync();
        (await point.Raw.CountAsync(point.Names.Release)).ShouldBe(0u);
    }

    [Fact]
    public async Task What_the_exchange_gives_back_stays_in_the_release_queue()
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await point.FillAsync(20);
        await using (var channel = await point.Raw.Connection.CreateChannelAsync())
        {
            // as somebody else may have declared it: without a place for what has none
            await channel.ExchangeDeleteAsync("retry.v1.return");
            await channel.ExchangeDeclareAsync("retry.v1.return", ExchangeType.Topic, durable: true, autoDelete: false);
            await channel.QueueDeleteAsync(point.Names.Work);
        }

        point.Start(perSecond: 100);
        await WaitForReasonAsync(point.Limiters[0], "returned a message");

        await point.StopAsync();
        await point.Raw.WaitForCountAsync(point.Names.Release, 20, Deadline);
    }

    [Fact]
    public async Task No_more_piles_up_before_slow_consumers_than_two_seconds_of_the_cap()
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await using var stuck = await point.Raw.Connection.CreateChannelAsync();
        await stuck.BasicQosAsync(0, 1, global: false);
        await stuck.BasicConsumeAsync(point.Names.Work, autoAck: false, new AsyncDefaultBasicConsumer(stuck));
        await point.FillAsync(10 * Cap);
        point.Start(Cap);

        await WaitForReasonAsync(point.Limiters[0], "the work queue has more than");
        // what was on its way when it looked, every 200 ms, a second on a machine that is late
        uint? piledUp = 0;
        await Never.TrueAsync(async () => (piledUp = await point.Raw.CountAsync(point.Names.Work)) > 3u * Cap, Second, () => $"{piledUp} piled up");
        piledUp!.Value.ShouldBeInRange(2u * Cap, 3u * Cap);
    }

    [Fact]
    public async Task A_limiter_that_was_there_before_its_queue_starts_with_it()
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await using (var channel = await point.Raw.Connection.CreateChannelAsync())
        {
            await channel.QueueDeleteAsync(point.Names.Release);
        }

        point.Start(Cap);
        await WaitForReasonAsync(point.Limiters[0], "There is no queue 'work.release'");
        await TopologyDeclarer.DeclareAsync(point.Raw.Connection, TopologyPlan.Point(point.Names, withRelease: true));
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        await point.FillAsync(20);

        await arrivals.WaitForAsync(20, Deadline);
    }

    // two rates, one held against the other, and a backoff of seconds
    [Trait("Category", "Long")]
    [Fact]
    public async Task A_full_queue_is_waited_for_and_slows_nobody_else()
    {
        var broker = await node.Broker.CreateVirtualHostAsync();
        await using var full = await LimitedPoint.CreateAsync(broker, "full", new Dictionary<string, object?> { ["x-max-length"] = 10, ["x-overflow"] = "reject-publish" });
        await using var gone = await LimitedPoint.CreateAsync(broker, "gone");
        await using var live = await LimitedPoint.CreateAsync(broker, "live");
        // the same beside nobody, in another virtual host
        await using var control = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync(), "live");
        await using (var channel = await live.Raw.Connection.CreateChannelAsync())
        {
            await channel.QueueDeleteAsync("gone");
        }

        // full, and a consumer that is stuck with its first message: without one nothing would be sent to the queue
        var already = await FillUpAsync(full);
        var stuck = await full.Raw.Connection.CreateChannelAsync();
        await stuck.BasicQosAsync(0, 1, global: false);
        await stuck.BasicConsumeAsync("full", autoAck: false, new AsyncDefaultBasicConsumer(stuck));
        await using var arrivals = await Arrivals.StartAsync(live.Raw.Connection, "live");
        await using var elsewhere = await Arrivals.StartAsync(control.Raw.Connection, "live");
        await full.FillAsync(200);
        await gone.FillAsync(200);
        await live.FillAsync(20 * Cap);
        await control.FillAsync(20 * Cap);

        // a process each: a busy machine slows both, so the one is held against the other, over the same seconds
        using var three = await LimitedPoint.StartProcessAsync(live.Broker, "full,gone,live", Cap);
        using var one = await LimitedPoint.StartProcessAsync(control.Broker, "live", Cap);
        await arrivals.WaitForAsync(Cap, Deadline);
        await elsewhere.WaitForAsync(Cap, Deadline);
        var (before, beforeElsewhere) = (arrivals.Count, elsewhere.Count);
        await elsewhere.WaitForAsync(beforeElsewhere + (6 * Cap), Deadline);
        var (here, there) = (arrivals.Count - before, elsewhere.Count - beforeElsewhere);
        output.WriteLine($"{node.Broker.Version}: {here} messages beside a full and a deleted work queue while {there} elsewhere, at {Cap}/s each");
        ((double)here).ShouldBeGreaterThan(0.9 * there);
        await live.Raw.WaitForCountAsync("retry.v1.lost", 200, Deadline);
        (await full.Raw.CountAsync("full"))!.Value.ShouldBeLessThan(100u);

        // room again: the rest follows, each message once
        await stuck.DisposeAsync();
        await using var late = await Arrivals.StartAsync(full.Raw.Connection, "full", prefetch: 50);
        await late.WaitForAsync(already + 200, Deadline);
        late.All.Select(arrival => arrival.Id).Distinct().Count().ShouldBe(already + 200);
        foreach (var process in new[] { three, one })
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync();
        }

        late.Count.ShouldBe(already + 200);
        (await full.Raw.CountAsync("full.release")).ShouldBe(0u);
    }

    // a rate or a window to the millisecond wants a machine with nothing else to do
    [Trait("Category", "Long")]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Goes_on_after_a_broker_restart(bool kill)
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        // a quorum queue that was only just declared does not survive a kill of the broker
        await node.Broker.StopAsync();
        await node.Broker.RestartAsync();
        await using var filler = await LimitedPoint.CreateAsync(point.Broker);
        await filler.FillAsync(10 * Cap);
        var before = await Arrivals.StartAsync(filler.Raw.Connection, point.Names.Work, prefetch: 20);
        using var wire = new ReleaseWire(point.Broker);
        point.Start(Cap, instances: 2, through: wire.Address);
        await before.WaitForAsync(2 * Cap, Deadline);

        await (kill ? node.Broker.KillAsync() : node.Broker.StopAsync());
        await node.Broker.RestartAsync();
        var back = Stopwatch.GetTimestamp();
        await using var raw = await Observing.RawClient.ConnectAsync(point.Broker);
        await using var after = await Arrivals.StartAsync(raw.Connection, point.Names.Work, prefetch: 20);
        await after.WaitForAsync(1, Deadline);
        var resumed = Stopwatch.GetElapsedTime(back, after.At[0]);
        await Eventually.TrueAsync(() => Ids().Count >= 10 * Cap, Deadline, () => $"{Ids().Count} of {10 * Cap} arrived");

        var excess = WindowBound.WorstExcess(wire.Publishes, Cap, burst: 1);
        output.WriteLine($"{node.Broker.Version}: {(kill ? "kill -9" : "restart")}: releases resumed {resumed.TotalSeconds:0.0} s after the broker was back, {10 * Cap - Ids().Count} lost, {before.Count + after.Count - (10 * Cap)} second copies, worst window {excess:0.00} above the bound; {wire}");
        excess.ShouldBeLessThanOrEqualTo(wire.Allowance(Cap));

        HashSet<string> Ids() => [.. before.All.Concat(after.All).Select(arrival => arrival.Id)];
    }

    private static async Task WaitForReasonAsync(RedeliveryLimiter limiter, string part)
    {
        await Eventually.TrueAsync(() => limiter.Status.Reason?.Contains(part, StringComparison.Ordinal) == true, Deadline, () => $"the limiter says '{limiter.Status.Reason}', wanted '{part}'");
    }

    /// <summary>Publishes to the work queue until it refuses.</summary>
    private static async Task<int> FillUpAsync(LimitedPoint point)
    {
        await using var channel = await point.Raw.Connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        var count = 0;
        try
        {
            for (; count < 1000; count++)
            {
                await channel.BasicPublishAsync(string.Empty, point.Names.Work, mandatory: true, Encoding.UTF8.GetBytes($"already {count}"));
            }
        }
        catch (PublishException)
        {
            return count;
        }

        throw new InvalidOperationException($"'{point.Names.Work}' took {count} messages and refused none.");
    }

    private async Task StopConsumersAsync(TimeSpan pause)
    {
        const int Prefetch = 20;
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await point.FillAsync(12 * Cap);
        point.Start(Cap, instances: 2, consumerPrefetch: Prefetch);
        await using var before = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work, Prefetch);
        await before.WaitForAsync(3 * Cap, Deadline);
        await before.StopAsync();
        await Scenario.PauseAsync(pause);
        var piledUp = await point.Raw.CountAsync(point.Names.Work);

        await using var after = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work, Prefetch);
        await after.WaitForAsync((12 * Cap) - before.Count, Deadline);

        long[] all = [.. before.At, .. after.At];
        var most = WindowBound.Most(all, Second);
        output.WriteLine($"{node.Broker.Version}: {pause.TotalSeconds:0} s without consumers at {Cap}/s: {piledUp} piled up, then at most {most} in a sliding second at the consumer (bound {Cap + Prefetch})");
        most.ShouldBeLessThan(Cap + Prefetch);
    }
}
