using MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>What a consumer delays: redelivery, deferral, outboxes, sagas.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class ConsumerDelayTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(400);

    [Theory]
    [InlineData("redeliver")]
    [InlineData("defer")]
    public async Task On_an_endpoint_without_graded_retry_a_message_comes_again(string how)
    {
        var first = DateTime.MinValue;
        var counts = new List<int>();
        var arrived = new Arrived<Order>();
        await using var service = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(async context =>
        {
            counts.Add(context.GetRedeliveryCount());
            if (first == DateTime.MinValue)
            {
                first = DateTime.UtcNow;
                await (how == "redeliver" ? context.Redeliver(Delay) : context.Defer(Delay));
                return;
            }

            await arrived.Note(context);
        })));

        await service.Bus.Publish(new Order(1));

        (await arrived.OneAsync()).At.ShouldBeGreaterThanOrEqualTo(first + Delay);
        counts.ShouldBe([0, 1]);
    }

    /// <summary>Each attempt publishes its Fault, as MassTransit has it.</summary>
    [Fact]
    public async Task Delayed_redelivery_works_where_there_is_no_graded_retry()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var runs = 0;
        await using var service = await ScheduledService.StartAsync(uri, (_, cfg) => cfg.ReceiveEndpoint("orders", e =>
        {
            e.UseDelayedRedelivery(redelivery => redelivery.Intervals(200, 300));
            e.Handler<Order>(_ =>
            {
                Interlocked.Increment(ref runs);
                throw new InvalidOperationException("always");
            });
        }));

        await service.Bus.Publish(new Order(1));

        await raw.WaitForCountAsync("orders_error", 1, Deadline);
        runs.ShouldBe(3);
    }

    [Fact]
    public async Task Through_the_in_memory_outbox_a_message_is_scheduled()
    {
        var arrived = new Arrived<Order>();
        DateTime? due = null;
        await using var service = await ScheduledService.StartAsync(await broker.CreateVirtualHostAsync(), (context, cfg) =>
        {
            cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(arrived.Note));
            cfg.ReceiveEndpoint("starts", e =>
            {
                e.UseInMemoryOutbox(context);
                e.Handler<Start>(start =>
                {
                    due = DateTime.UtcNow + Delay;
                    return start.ScheduleSend(new Uri("queue:orders"), due.Value, new Order(2));
                });
            });
        });

        await service.Bus.Publish(new Start());

        (await arrived.OneAsync()).At.ShouldBeGreaterThanOrEqualTo(due!.Value);
    }

    private async Task<ScheduledService> StartAsync(Action<IRabbitMqBusFactoryConfigurator> configure) =>
        await ScheduledService.StartAsync(await broker.CreateVirtualHostAsync(), (_, cfg) => configure(cfg));

    public sealed record Start;

    public sealed record Order(int Number);
}
