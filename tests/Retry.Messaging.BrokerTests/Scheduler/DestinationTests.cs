using System.Text;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Naming;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>Destinations that take nothing, or that the dispatcher may not write to.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class DestinationTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task What_names_an_exchange_that_is_not_in_the_list_is_lost_with_the_cause()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var service = await ScheduledService.StartAsync(uri, (_, _) => { }, scheduler: options => options.Exchanges = ["allowed"]);
        var due = DateTime.UtcNow.AddSeconds(1);

        await service.Scheduler.ScheduleSend(new Uri("queue:forbidden"), due, new Order(1));
        await service.Scheduler.ScheduleSend(new Uri("queue:allowed"), due, new Order(2));

        await raw.WaitForCountAsync("allowed", 1, Deadline);
        await raw.WaitForCountAsync(BrokerNames.LostQueue, 1, Deadline);
        var lost = (await raw.DrainAsync(BrokerNames.LostQueue)).ShouldHaveSingleItem().BasicProperties.Headers!;
        Encoding.UTF8.GetString((byte[])lost["retry-error"]!).ShouldBe("Exchange 'forbidden' is none of those that the dispatcher may publish to.");
        (await raw.CountAsync("forbidden")).ShouldBe(0u);
    }

    /// <summary>The broker takes no time to live of more than 49 days, and closes the channel for whatever else is on it.</summary>
    [Fact]
    public async Task A_message_that_closes_the_channel_is_lost_and_those_beside_it_arrive()
    {
        const int Good = 300;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await raw.DeclareQueueAsync("orders");
        await using var service = await ScheduledService.StartAsync(uri, (_, _) => { });
        await raw.WaitForConsumersAsync(BrokerNames.ScheduleQueue, 1, Deadline);

        await raw.PublishManyAsync(DueMessage.Exchange, DueMessage.RoutingKey, Enumerable.Range(0, Good).Select(i =>
            i % 50 == 25 ? DueMessage.For("orders", $"bad{i}", expiration: "9999999999999999") : DueMessage.For("orders", $"good{i}")));

        await raw.WaitForCountAsync(BrokerNames.LostQueue, Good / 50, Deadline);
        await Eventually.TrueAsync(async () => await raw.CountAsync("orders") >= Good - (Good / 50), Deadline);
        var lost = await raw.DrainAsync(BrokerNames.LostQueue);
        lost.Select(message => message.BasicProperties.MessageId).ShouldAllBe(id => id!.StartsWith("bad"));
        lost.Select(message => Encoding.UTF8.GetString((byte[])message.BasicProperties.Headers!["retry-error"]!)).ShouldAllBe(cause => cause.Contains("expiration"));
        (await raw.DrainAsync("orders")).Select(message => message.BasicProperties.MessageId).Distinct().Count().ShouldBe(Good - (Good / 50));
    }

    public sealed record Order(int Number);
}
