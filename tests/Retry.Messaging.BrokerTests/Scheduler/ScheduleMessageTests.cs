using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>MassTransit's own calls that schedule a message, on a broker without the delay plugin.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class ScheduleMessageTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly Uri Orders = new("queue:orders");

    [Theory]
    [InlineData(true, 700)]
    [InlineData(true, -700)]
    [InlineData(false, 700)]
    [InlineData(false, -700)]
    public async Task From_outside_a_message_arrives_when_it_is_due_and_at_once_when_it_was(bool sends, int milliseconds)
    {
        var arrived = new Arrived<Order>();
        await using var service = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(arrived.Note)));
        var due = DateTime.UtcNow.AddMilliseconds(milliseconds);

        var scheduled = sends ? await service.Scheduler.ScheduleSend(Orders, due, new Order(1)) : await service.Scheduler.SchedulePublish(due, new Order(1));

        scheduled.TokenId.ShouldNotBe(Guid.Empty);
        (await arrived.OneAsync()).At.ShouldBeGreaterThanOrEqualTo(due);
    }

    [Theory]
    [InlineData(true, 700)]
    [InlineData(true, -700)]
    [InlineData(false, 700)]
    [InlineData(false, -700)]
    public async Task From_a_consumer_a_message_arrives_when_it_is_due_and_at_once_when_it_was(bool sends, int milliseconds)
    {
        var arrived = new Arrived<Order>();
        DateTime? due = null;
        await using var service = await StartAsync(cfg =>
        {
            cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(arrived.Note));
            cfg.ReceiveEndpoint("starts", e => e.Handler<Start>(async context =>
            {
                due = DateTime.UtcNow.AddMilliseconds(milliseconds);
                if (sends)
                {
                    await context.ScheduleSend(Orders, due.Value, new Order(2));
                }
                else
                {
                    await context.SchedulePublish(due.Value, new Order(2));
                }
            }));
        });

        await service.Bus.Publish(new Start());

        var (at, order) = await arrived.OneAsync();
        order.Number.ShouldBe(2);
        at.ShouldBeGreaterThanOrEqualTo(due!.Value);
    }

    [Fact]
    public async Task A_time_span_and_the_consumers_own_queue_will_do()
    {
        var arrived = new Arrived<Order>();
        await using var service = await StartAsync(cfg => cfg.ReceiveEndpoint("starts", e =>
        {
            e.Handler<Order>(arrived.Note);
            e.Handler<Start>(context => context.ScheduleSend(TimeSpan.FromMilliseconds(300), new Order(3)));
        }));

        await service.Bus.Publish(new Start());

        (await arrived.OneAsync()).Message.Number.ShouldBe(3);
    }

    [Fact]
    public async Task Headers_arrive()
    {
        string? seen = null;
        await using var service = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(context =>
        {
            seen = context.Headers.Get<string>("shop");
            return Task.CompletedTask;
        })));

        await service.Scheduler.ScheduleSend(Orders, DateTime.UtcNow.AddMilliseconds(300), new Order(4), Pipe.Execute<SendContext>(context => context.Headers.Set("shop", "Köln")), default);

        await Tests.Waiting.Eventually.TrueAsync(() => seen is not null, Deadline);
        seen.ShouldBe("Köln");
    }

    [Fact]
    public async Task A_direct_exchange_gets_the_message_with_its_key()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await raw.DeclareQueueAsync("large");
        await raw.DeclareQueueAsync("small");
        await using var service = await ScheduledService.StartAsync(uri, (_, cfg) =>
        {
            cfg.Send<Order>(send => send.UseRoutingKeyFormatter(context => context.Message.Number > 10 ? "large" : "small"));
            cfg.Publish<Order>(publish => publish.ExchangeType = ExchangeType.Direct);
        });
        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            await channel.ExchangeDeclareAsync("sizes", ExchangeType.Direct, durable: true);
        }

        await raw.BindAsync("large", "sizes", "large");
        await raw.BindAsync("small", "sizes", "small");

        await service.Scheduler.ScheduleSend(new Uri("exchange:sizes?type=direct"), DateTime.UtcNow.AddMilliseconds(300), new Order(11));

        await raw.WaitForCountAsync("large", 1, Deadline);
        var message = (await raw.DrainAsync("large")).ShouldHaveSingleItem();
        (message.Exchange, message.RoutingKey).ShouldBe(("sizes", "large"));
        (await raw.CountAsync("small")).ShouldBe(0u);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_send_and_a_publish_with_a_delay_of_their_own_arrive_when_they_are_due(bool sends)
    {
        var arrived = new Arrived<Order>();
        await using var service = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(arrived.Note)));
        var due = DateTime.UtcNow.AddMilliseconds(700);

        // without the scheduler the call does not return
        await (sends
            ? (await service.Bus.GetSendEndpoint(Orders)).Send(new Order(6), context => context.Delay = due - DateTime.UtcNow)
            : service.Bus.Publish(new Order(6), context => context.Delay = due - DateTime.UtcNow)).WaitAsync(Deadline);

        (await arrived.OneAsync()).At.ShouldBeGreaterThanOrEqualTo(due);
    }

    /// <summary>What the user's own lines ask for already does no harm.</summary>
    [Fact]
    public async Task The_lines_of_an_existing_service_may_stay()
    {
        var arrived = new Arrived<Order>();
        await using var service = await ScheduledService.StartAsync(
            await broker.CreateVirtualHostAsync(),
            (_, cfg) =>
            {
                cfg.UseDelayedMessageScheduler();
                cfg.ReceiveEndpoint("starts", e =>
                {
                    e.Handler<Order>(arrived.Note);
                    e.Handler<Start>(context => context.ScheduleSend(TimeSpan.FromMilliseconds(300), new Order(5)));
                });
            },
            x => x.AddDelayedMessageScheduler());

        await service.Bus.Publish(new Start());

        await arrived.OneAsync();
        await Tests.Waiting.Never.TrueAsync(() => arrived.Count > 1, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Many_with_delays_of_all_lengths_arrive_once_each_and_none_before_its_time()
    {
        const int Count = 200;
        var arrived = new Arrived<Order>();
        await using var service = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(arrived.Note)));
        var due = new DateTime[Count];
        for (var i = 0; i < Count; i++)
        {
            due[i] = DateTime.UtcNow.AddMilliseconds(1 + (i * 17));
            await service.Scheduler.ScheduleSend(Orders, due[i], new Order(i));
        }

        var all = await arrived.SomeAsync(Count);

        all.Select(one => one.Message.Number).Order().ShouldBe(Enumerable.Range(0, Count));
        all.ShouldAllBe(one => one.At >= due[one.Message.Number]);
    }

    private async Task<ScheduledService> StartAsync(Action<IRabbitMqBusFactoryConfigurator> configure) =>
        await ScheduledService.StartAsync(await broker.CreateVirtualHostAsync(), (_, cfg) => configure(cfg));

    public sealed record Start;

    public sealed record Order(int Number);
}
