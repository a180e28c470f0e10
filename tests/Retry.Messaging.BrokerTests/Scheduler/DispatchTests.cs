using System.Text;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>What the dispatcher does when something is not as it should be.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class DispatchTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_time_to_live_counts_from_when_the_message_is_due()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var service = await ScheduledService.StartAsync(uri, (_, _) => { });

        await service.Scheduler.ScheduleSend(
            new Uri("queue:short"),
            DateTime.UtcNow.AddSeconds(2),
            new Order(1),
            Pipe.Execute<SendContext>(context => context.TimeToLive = TimeSpan.FromSeconds(1)),
            default);

        // counted from the sending, it would have expired on its rung, and gone on at once
        await raw.WaitForCountAsync("short", 1, Deadline);
        await raw.WaitForCountAsync("short", 0, Deadline);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_has_no_way_when_it_is_due_is_in_the_lost_queue_with_the_cause_and_others_arrive(bool deletesExchange)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var arrived = new Arrived<Order>();
        await using var service = await ScheduledService.StartAsync(uri, (_, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(arrived.Note)));
        // the first one waits until the ladder has been declared
        await WaitForDispatcherAsync(raw);
        await service.Scheduler.ScheduleSend(new Uri("queue:gone"), DateTime.UtcNow.AddSeconds(4), new Order(1));
        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            if (deletesExchange)
            {
                await channel.ExchangeDeleteAsync("gone");
            }

            await channel.QueueDeleteAsync("gone");
        }

        for (var i = 0; i < 10; i++)
        {
            await service.Scheduler.ScheduleSend(new Uri("queue:orders"), DateTime.UtcNow.AddSeconds(1), new Order(i));
        }

        await raw.WaitForCountAsync(BrokerNames.LostQueue, 1, Deadline);
        var lost = (await raw.DrainAsync(BrokerNames.LostQueue)).ShouldHaveSingleItem().BasicProperties.Headers!;
        Encoding.UTF8.GetString((byte[])lost["retry-error"]!).ShouldContain("'gone'");
        Encoding.UTF8.GetString((byte[])lost["retry-schedule"]!).ShouldContain("\"exchange\":\"gone\"");
        (await arrived.SomeAsync(10)).Select(one => one.Message.Number).Order().ShouldBe(Enumerable.Range(0, 10));
    }

    [Fact]
    public async Task A_send_whose_ladder_is_missing_fails()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var service = await ScheduledService.StartAsync(uri, (_, _) => { });
        await service.Scheduler.ScheduleSend(new Uri("queue:later"), DateTime.UtcNow.AddHours(1), new Order(1));
        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            await channel.ExchangeDeleteAsync("retry.v1.10m");
        }

        var failure = await Should.ThrowAsync<TransportException>(
            () => service.Scheduler.ScheduleSend(new Uri("queue:later"), DateTime.UtcNow.AddMinutes(15), new Order(2)).WaitAsync(Deadline));

        failure.Message.ShouldContain("Found no exchange 'retry.v1.10m'");
        (await raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);

        // mended: all that send from the next look on are served, and not the first of them alone
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder);
        await Scenario.PauseAsync(TimeSpan.FromSeconds(3));
        await Task.WhenAll(Enumerable.Range(3, 8).Select(number =>
            service.Scheduler.ScheduleSend(new Uri("queue:later"), DateTime.UtcNow.AddMinutes(15), new Order(number)))).WaitAsync(Deadline);
    }

    [Fact]
    public async Task When_the_dispatching_service_stops_another_goes_on()
    {
        const int Count = 100;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var first = await ScheduledService.StartAsync(uri, (_, _) => { });
        await WaitForDispatcherAsync(raw);
        await using var second = await ScheduledService.StartAsync(uri, (_, _) => { });
        for (var i = 0; i < Count; i++)
        {
            await second.Scheduler.ScheduleSend(new Uri("exchange:orders?bind=true&queue=orders"), DateTime.UtcNow.AddMilliseconds(i * 40), new Order(i));
        }

        await first.StopAsync();

        await raw.WaitForCountAsync("orders", Count, Deadline);
        await first.DisposeAsync();
        (await raw.DrainAsync("orders")).Select(message => message.BasicProperties.MessageId).Distinct().Count().ShouldBe(Count);
        (await raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
    }

    /// <summary>What the lost queue is told of it does not fit into its frame any more; the broker would close the dispatcher's connection.</summary>
    [Fact]
    public async Task A_message_with_large_headers_and_no_way_stops_no_other()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await raw.DeclareQueueAsync("there");
        await using var service = await ScheduledService.StartAsync(uri, (_, _) => { });
        await WaitForDispatcherAsync(raw);
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

        foreach (var (exchange, size) in new[] { ("gone", 130_800), (string.Empty, 10) })
        {
            await raw.PublishAsync(
                BrokerNames.ReturnExchange,
                "0.0.0.0.0.0.0.0." + BrokerNames.ScheduleQueue,
                "late"u8.ToArray(),
                new BasicProperties
                {
                    Headers = new Dictionary<string, object?> { ["large"] = new byte[size], ["retry-schedule"] = $$"""{"due":{{now}},"exchange":"{{exchange}}","key":"there"}""" },
                });
        }

        await raw.WaitForCountAsync("there", 1, Deadline);
        await raw.WaitForCountAsync(BrokerNames.LostQueue, 1, Deadline);
        var lost = (await raw.DrainAsync(BrokerNames.LostQueue)).ShouldHaveSingleItem().BasicProperties.Headers!;
        Encoding.UTF8.GetString((byte[])lost["retry-schedule"]!).ShouldContain("\"exchange\":\"gone\"");
    }

    /// <summary>Counted by the broker's clock from a delay that is as long as the ladder, it would take ten days: so it is played by hand.</summary>
    [Fact]
    public async Task What_waits_for_longer_than_the_ladder_is_long_climbs_again_and_arrives_once()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await raw.DeclareQueueAsync("late");
        await using var service = await ScheduledService.StartAsync(uri, (_, _) => { });
        await WaitForDispatcherAsync(raw);
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var due = now + 1500;

        await raw.PublishAsync(
            BrokerNames.ReturnExchange,
            "0.0.0.0.0.0.0.0." + BrokerNames.ScheduleQueue,
            "late"u8.ToArray(),
            new BasicProperties { Headers = new Dictionary<string, object?> { ["retry-schedule"] = $$"""{"due":{{due}},"leaves":{{now}},"exchange":"","key":"late"}""" } });

        await raw.WaitForCountAsync("late", 1, Deadline);
        DateTimeOffset.UtcNow.ToUnixTimeMilliseconds().ShouldBeGreaterThanOrEqualTo(due);
        (await raw.DrainAsync("late")).ShouldHaveSingleItem().BasicProperties.Headers?.Keys.ShouldNotContain("retry-schedule");
    }

    private static async Task WaitForDispatcherAsync(RawClient raw)
    {
        await raw.WaitForCountAsync(BrokerNames.ScheduleQueue, 0, Deadline);
        await raw.WaitForConsumersAsync(BrokerNames.ScheduleQueue, 1, Deadline);
    }

    public sealed record Order(int Number);
}
