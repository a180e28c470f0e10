using MassTransit;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>What was cancelled a second before it is due does not arrive, by whatever call of MassTransit's it was cancelled.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class CancelTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(3);
    // so that the one that was not cancelled arrives last
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(1);
    private static readonly Uri Orders = new("queue:orders");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task From_outside_what_is_cancelled_does_not_arrive(bool sends)
    {
        var arrived = new Arrived<Order>();
        await using var service = await StartAsync(arrived);
        var due = DateTime.UtcNow + Delay;
        var first = sends ? await service.Scheduler.ScheduleSend(Orders, due, new Order(1)) : await service.Scheduler.SchedulePublish(due, new Order(1));
        await service.Scheduler.ScheduleSend(Orders, due + Later, new Order(2));

        if (sends)
        {
            await service.Scheduler.CancelScheduledSend(first);
        }
        else
        {
            await service.Scheduler.CancelScheduledPublish<Order>(first.TokenId);
        }

        await OnlyAsync(arrived, 2);
    }

    [Fact]
    public async Task From_a_consumer_what_is_cancelled_does_not_arrive()
    {
        var arrived = new Arrived<Order>();
        await using var service = await StartAsync(arrived, (_, cfg) => cfg.ReceiveEndpoint("starts", e => e.Handler<Start>(async context =>
        {
            var first = await context.ScheduleSend(Orders, Delay, new Order(1));
            await context.ScheduleSend(Orders, Delay + Later, new Order(2));
            await context.CancelScheduledSend(first);
        })));

        await service.Bus.Publish(new Start());

        await OnlyAsync(arrived, 2);
    }

    private static Task<ScheduledService> StartAsync(Uri uri, Arrived<Order> arrived, Action<IBusRegistrationContext, IRabbitMqBusFactoryConfigurator>? more) =>
        ScheduledService.StartAsync(uri, (context, cfg) =>
        {
            cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(arrived.Note));
            more?.Invoke(context, cfg);
        });

    private async Task<ScheduledService> StartAsync(Arrived<Order> arrived, Action<IBusRegistrationContext, IRabbitMqBusFactoryConfigurator>? more = null) =>
        await StartAsync(await broker.CreateVirtualHostAsync(), arrived, more);

    private static async Task OnlyAsync(Arrived<Order> arrived, int number)
    {
        await arrived.OneAsync();
        await Never.TrueAsync(() => arrived.Count > 1, TimeSpan.FromSeconds(1));
        arrived.All.ShouldHaveSingleItem().Message.Number.ShouldBe(number);
    }

    public sealed record Order(int Number);

    public sealed record Start;
}
