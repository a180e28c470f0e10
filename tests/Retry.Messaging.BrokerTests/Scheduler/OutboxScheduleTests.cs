using MassTransit;
using MassTransit.Middleware.Outbox;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>Scheduling and cancelling through outboxes: what is not committed has not happened, and what is late is no later for it.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class OutboxScheduleTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(8);
    private static readonly Uri Orders = new("queue:orders");

    [Fact]
    public async Task What_a_failing_consumer_with_the_in_memory_outbox_has_scheduled_does_not_arrive()
    {
        var (arrived, tried) = (new Arrived<Order>(), new Arrived<Start>());
        await using var service = await StartAsync(arrived, (registered, cfg) => cfg.ReceiveEndpoint("starts", e =>
        {
            e.UseInMemoryOutbox(registered);
            e.Handler<Start>(async context =>
            {
                await context.ScheduleSend(Orders, Delay, new Order(1));
                await tried.Note(context);
                throw new InvalidOperationException("It fails when it has scheduled.");
            });
        }));

        await service.Bus.Publish(new Start());
        await tried.OneAsync();
        await service.Scheduler.ScheduleSend(Orders, DateTime.UtcNow + Delay, new Order(2));

        await OnlyAsync(arrived, 2);
    }

    [Fact]
    public async Task What_a_failing_consumer_with_the_in_memory_outbox_has_cancelled_arrives()
    {
        var (arrived, tried) = (new Arrived<Order>(), new Arrived<Start>());
        await using var service = await StartAsync(arrived, (registered, cfg) => cfg.ReceiveEndpoint("starts", e =>
        {
            e.UseInMemoryOutbox(registered);
            e.Handler<Start>(async context =>
            {
                await context.GetPayload<MessageSchedulerContext>().CancelScheduledSend(Orders, context.Message.Token);
                await tried.Note(context);
                throw new InvalidOperationException("It fails when it has cancelled.");
            });
        }));
        var scheduled = await service.Scheduler.ScheduleSend(Orders, DateTime.UtcNow + Delay, new Order(1));

        await service.Bus.Publish(new Start { Token = scheduled.TokenId });

        await tried.OneAsync();
        await OnlyAsync(arrived, 1);
    }

    [Fact]
    public async Task Due_counts_from_the_call_also_where_the_bus_outbox_delivers_late()
    {
        var arrived = new Arrived<Order>();
        var outbox = new StoredOutbox();
        await using var service = await StartAsync(arrived, outbox: outbox);
        var began = DateTime.UtcNow;
        await service.Scheduler.ScheduleSend(Orders, began + Delay, new Order(1));
        await service.Scheduler.ScheduleSend(Orders, began + TimeSpan.FromSeconds(1), new Order(2));
        outbox.Count.ShouldBe(2);

        await Scenario.PauseAsync(TimeSpan.FromSeconds(2));
        await outbox.DeliverAsync(service.Bus);
        var delivered = DateTime.UtcNow;

        var all = await arrived.SomeAsync(2);
        all.Select(one => one.Message.Number).ShouldBe([2, 1]);
        all[0].At.ShouldBeLessThan(began + Delay);
        all[1].At.ShouldBeInRange(began + Delay, delivered + Delay - TimeSpan.FromMilliseconds(500));
    }

    [Fact]
    public async Task A_cancel_in_the_bus_outbox_counts_when_it_is_delivered_and_not_when_it_is_rolled_back()
    {
        var arrived = new Arrived<Order>();
        var outbox = new StoredOutbox();
        await using var service = await StartAsync(arrived, outbox: outbox);
        var due = DateTime.UtcNow + Delay;
        var first = await service.Scheduler.ScheduleSend(Orders, due, new Order(1));
        var second = await service.Scheduler.ScheduleSend(Orders, due, new Order(2));
        await outbox.DeliverAsync(service.Bus);

        await service.Scheduler.CancelScheduledSend(first);
        outbox.RollBack();
        await service.Scheduler.CancelScheduledSend(second);
        await outbox.DeliverAsync(service.Bus);

        await OnlyAsync(arrived, 1);
    }

    /// <summary>A redelivered message has the headers of the one before, that of its schedule in the outbox too.</summary>
    [Fact]
    public async Task What_came_through_the_bus_outbox_and_is_redelivered_waits_for_its_delay()
    {
        var arrived = new Arrived<Order>();
        var outbox = new StoredOutbox();
        await using var service = await ScheduledService.StartAsync(
            await broker.CreateVirtualHostAsync(),
            (_, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(async context =>
            {
                await arrived.Note(context);
                if (arrived.Count == 1)
                {
                    await context.Redeliver(TimeSpan.FromSeconds(1.5));
                }
            })),
            x => Put(outbox, x));
        await service.Scheduler.ScheduleSend(Orders, DateTime.UtcNow + TimeSpan.FromSeconds(1), new Order(1));
        await outbox.DeliverAsync(service.Bus);

        var both = await arrived.SomeAsync(2);
        (both[1].At - both[0].At).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(1.5));
    }

    /// <summary>The consumer's message wants its answer on the requester's channel, and MassTransit would send there what goes to the same address.</summary>
    [Fact]
    public async Task A_request_on_a_channel_does_not_get_the_cancel_of_its_consumer()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await raw.DeclareQueueAsync("requester");
        var (arrived, tried) = (new Arrived<Order>(), new Arrived<Start>());
        await using var service = await ScheduledService.StartAsync(uri, (_, cfg) =>
        {
            cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(arrived.Note));
            cfg.ReceiveEndpoint("starts", e => e.Handler<Start>(async context =>
            {
                await context.GetPayload<MessageSchedulerContext>().CancelScheduledSend(Orders, context.Message.Token);
                await tried.Note(context);
            }));
        });
        var due = DateTime.UtcNow + Delay;
        var scheduled = await service.Scheduler.ScheduleSend(Orders, due, new Order(1));
        await service.Scheduler.ScheduleSend(Orders, due, new Order(2));

        var endpoint = await service.Bus.GetSendEndpoint(new Uri("queue:starts"));
        await endpoint.Send(new Start { Token = scheduled.TokenId }, context => context.GetPayload<RabbitMqSendContext>().BasicProperties.ReplyTo = "requester");

        await tried.OneAsync();
        await OnlyAsync(arrived, 2);
        (await raw.CountAsync("requester")).ShouldBe(0u);
    }

    private async Task<ScheduledService> StartAsync(Arrived<Order> arrived, Action<IBusRegistrationContext, IRabbitMqBusFactoryConfigurator>? more = null, StoredOutbox? outbox = null) =>
        await ScheduledService.StartAsync(
            await broker.CreateVirtualHostAsync(),
            (context, cfg) =>
            {
                cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(arrived.Note));
                more?.Invoke(context, cfg);
            },
            x => Put(outbox, x));

    // where the one for Entity Framework puts its own
    private static void Put(StoredOutbox? outbox, IBusRegistrationConfigurator x)
    {
        if (outbox is not null)
        {
            x.AddScoped<ISendEndpointProvider>(services => new OutboxSendEndpointProvider(outbox, services.GetRequiredService<IBus>()));
        }
    }

    private static async Task OnlyAsync(Arrived<Order> arrived, int number)
    {
        await arrived.OneAsync();
        await Never.TrueAsync(() => arrived.Count > 1, TimeSpan.FromSeconds(1));
        arrived.All.ShouldHaveSingleItem().Message.Number.ShouldBe(number);
    }

    public sealed record Order(int Number);

    public sealed record Start
    {
        public Guid Token { get; init; }
    }
}
