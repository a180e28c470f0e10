using System.Text;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Lots;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>Two failures never share the id of their parked copies or of their Faults; one that a crash repeats keeps its own.</summary>
[Collection(SharedBroker.Name)]
public sealed class IdentityTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>In one service, which remembers the ids that it gave, and in two, which know nothing of each other.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task One_event_that_two_endpoints_give_up_has_two_parked_ids_and_two_faults(int services)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.Of<Order>());
        await using var service = await (services == 1 ? StartAsync(uri, "orders", "invoices") : StartAsync(uri, "orders"));
        await using var other = services == 1 ? null : await StartAsync(uri, "invoices");

        await service.Bus.Publish(new Order(1));

        await raw.WaitForCountAsync("orders.parked", 1, Deadline);
        await raw.WaitForCountAsync("invoices.parked", 1, Deadline);
        await raw.WaitForCountAsync(faults, 2, Deadline);
        BasicGetResult[] parked = [.. await raw.DrainAsync("orders.parked"), .. await raw.DrainAsync("invoices.parked")];
        parked.Select(message => message.BasicProperties.MessageId).Distinct().Count().ShouldBe(1);
        parked.Select(message => message.Header("retry-id")).Distinct().Count().ShouldBe(2);
        (await raw.DrainAsync(faults)).Select(fault => fault.BasicProperties.MessageId).Distinct().Count().ShouldBe(2);
    }

    /// <summary>As other clients send them: one id for all, or none, and maybe the same bytes each time.</summary>
    [Theory]
    [InlineData("always the same", true, 1)]
    [InlineData("always the same", true, 0)]
    [InlineData("always the same", false, 1)]
    [InlineData("always the same", false, 0)]
    [InlineData(null, false, 1)]
    [InlineData(null, false, 0)]
    public async Task Messages_that_share_an_id_are_parked_apart(string? id, bool differ, int retries)
    {
        const int messages = 5;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.Of<Order>());
        await using var service = await StartAsync(uri, retries, "orders");

        for (var i = 0; i < messages; i++)
        {
            await raw.PublishAsync(string.Empty, "orders", Body(differ ? i : 1), new BasicProperties { ContentType = "application/json", MessageId = id });
        }

        await raw.WaitForCountAsync("orders.parked", messages, Deadline);
        await raw.WaitForCountAsync(faults, messages, Deadline);
        await service.StopAsync();
        (await raw.DrainAsync(faults)).Select(fault => fault.BasicProperties.MessageId).Distinct().Count().ShouldBe(messages);
        await using var connection = await BrokerFixture.ConnectAsync(uri);
        var lot = new ParkingLot(connection);
        var ids = await lot.ListAsync("orders", ParkedFilter.All).Select(message => message.Id).ToListAsync();
        ids.Distinct().Count().ShouldBe(messages);
        (await lot.DiscardAsync("orders", ParkedFilter.OfIds(ids[2])).CountAsync()).ShouldBe(1);
        (await raw.CountAsync("orders.parked")).ShouldBe((uint)messages - 1);
    }

    [Theory]
    [InlineData("mine")]
    [InlineData(null)]
    public async Task The_same_failure_repeated_by_a_crash_keeps_its_ids(string? id)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.Of<Order>());
        await using (var service = await StartAsync(uri, 0, "orders"))
        {
            await PublishAsync();
            await raw.WaitForCountAsync(faults, 1, Deadline);
        }

        // the same message once more, as it is when the process was gone before it could acknowledge
        await PublishAsync();
        await raw.WaitForCountAsync("orders", 1, Deadline);
        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            (await channel.BasicGetAsync("orders", autoAck: false)).ShouldNotBeNull();
        }

        await using (var service = await StartAsync(uri, 0, "orders"))
        {
            await raw.WaitForCountAsync(faults, 2, Deadline);
        }

        (await raw.DrainAsync("orders.parked")).Select(message => message.Header("retry-id")).ToHashSet().Count.ShouldBe(1);
        (await raw.DrainAsync(faults)).Select(fault => fault.BasicProperties.MessageId).ToHashSet().Count.ShouldBe(1);

        Task PublishAsync() => raw.PublishAsync(string.Empty, "orders", Body(1), new BasicProperties { ContentType = "application/json", MessageId = id });
    }

    /// <summary>The process lives on: only its channel is gone with the acknowledgement, and the message comes again by another.</summary>
    [Fact]
    public async Task The_same_failure_delivered_again_to_the_same_process_keeps_its_ids()
    {
        const int Blocks = 2;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.Of<Order>());
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await StartAsync(uri, 0, ["orders"], prefetch: 1, consume: async order =>
        {
            if (order.Message.Number != Blocks)
            {
                throw new InvalidOperationException("never");
            }

            entered.SetResult();
            await go.Task;
        });
        await PublishAsync(1);
        await raw.WaitForCountAsync(faults, 1, Deadline);
        await PublishAsync(Blocks);
        await entered.Task.WaitAsync(Deadline);

        // the same message once more, marked by the broker as one that was delivered before
        await PublishAsync(1);
        await raw.WaitForCountAsync("orders", 1, Deadline);
        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            (await channel.BasicGetAsync("orders", autoAck: false)).ShouldNotBeNull();
        }

        go.SetResult();
        await raw.WaitForCountAsync(faults, 2, Deadline);
        await raw.WaitForCountAsync("orders.parked", 2, Deadline);
        await service.StopAsync();
        (await raw.DrainAsync("orders.parked")).Select(message => message.Header("retry-id")).Distinct().Count().ShouldBe(1);
        (await raw.DrainAsync(faults)).Select(fault => fault.BasicProperties.MessageId).Distinct().Count().ShouldBe(1);

        Task PublishAsync(int number) => raw.PublishAsync(string.Empty, "orders", Body(number), new BasicProperties { ContentType = "application/json", MessageId = "mine" });
    }

    private static byte[] Body(int number) => Encoding.UTF8.GetBytes($$"""{"number":{{number}}}""");

    private static Task<RetryService> StartAsync(Uri uri, params string[] queues) => StartAsync(uri, 1, queues);

    private static Task<RetryService> StartAsync(Uri uri, int retries, params string[] queues) =>
        StartAsync(uri, retries, queues, prefetch: null, static _ => throw new InvalidOperationException("never"));

    private static Task<RetryService> StartAsync(Uri uri, int retries, string[] queues, ushort? prefetch, Func<ConsumeContext<Order>, Task> consume) => RetryService.StartAsync(uri, (context, cfg) =>
    {
        foreach (var queue in queues)
        {
            cfg.ReceiveEndpoint(queue, e =>
            {
                e.SetQuorumQueue();
                e.PrefetchCount = prefetch ?? e.PrefetchCount;
                e.UseRawJsonDeserializer(RawSerializerOptions.AnyMessageType | RawSerializerOptions.CopyHeaders);
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(retries));
                e.Handler<Order>(order => consume(order));
            });
        }
    });

    public sealed record Order(int Number);
}
