using MassTransit;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>A saga's schedule that is taken back, and one that takes the place of another.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class CancelSagaTests(BrokerFixture broker)
{
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(4);

    [Fact]
    public async Task What_a_saga_unschedules_does_not_arrive()
    {
        var arrived = new Arrived<ReminderDue>();
        await using var service = await StartAsync(arrived);
        var (paid, forgotten) = (NewId.NextGuid(), NewId.NextGuid());
        await service.Bus.Publish(new OrderPlaced(paid));
        await service.Bus.Publish(new OrderPlaced(forgotten));
        await Scenario.PauseAsync(TimeSpan.FromSeconds(1));

        await service.Bus.Publish(new OrderPaid(paid));

        (await arrived.OneAsync()).Message.Id.ShouldBe(forgotten);
        await Never.TrueAsync(() => arrived.Count > 1, TimeSpan.FromSeconds(1.5));
    }

    [Fact]
    public async Task A_schedule_that_takes_the_place_of_another_does_not_leave_it_alive()
    {
        var arrived = new Arrived<ReminderDue>();
        await using var service = await StartAsync(arrived);
        var order = NewId.NextGuid();
        await service.Bus.Publish(new OrderPlaced(order));
        await Scenario.PauseAsync(TimeSpan.FromSeconds(1.5));
        var again = DateTime.UtcNow;

        await service.Bus.Publish(new OrderTouched(order));

        (await arrived.OneAsync()).At.ShouldBeGreaterThanOrEqualTo(again + Delay);
        await Never.TrueAsync(() => arrived.Count > 1, TimeSpan.FromSeconds(1.5));
    }

    // a queue of its own gets a copy of what is delivered: the saga itself passes over a reminder whose token is not its own
    private async Task<ScheduledService> StartAsync(Arrived<ReminderDue> arrived) =>
        await ScheduledService.StartAsync(
            await broker.CreateVirtualHostAsync(),
            (context, cfg) =>
            {
                cfg.ReceiveEndpoint("order-saga-copy", e =>
                {
                    e.ConfigureConsumeTopology = false;
                    e.Bind("order-saga");
                    e.Handler<ReminderDue>(arrived.Note);
                    e.Handler<OrderPlaced>(_ => Task.CompletedTask);
                    e.Handler<OrderPaid>(_ => Task.CompletedTask);
                    e.Handler<OrderTouched>(_ => Task.CompletedTask);
                });
                cfg.ReceiveEndpoint("order-saga", e => e.ConfigureSaga<OrderSaga>(context));
            },
            x => x.AddSagaStateMachine<OrderMachine, OrderSaga>().InMemoryRepository());

    public sealed record OrderPlaced(Guid Id);

    public sealed record OrderTouched(Guid Id);

    public sealed record OrderPaid(Guid Id);

    public sealed record ReminderDue(Guid Id);

    public sealed class OrderSaga : SagaStateMachineInstance
    {
        public Guid CorrelationId { get; set; }

        public string CurrentState { get; set; } = string.Empty;

        public Guid? ReminderToken { get; set; }
    }

    public sealed class OrderMachine : MassTransitStateMachine<OrderSaga>
    {
        public OrderMachine()
        {
            InstanceState(order => order.CurrentState);
            Event(() => Placed, e => e.CorrelateById(context => context.Message.Id));
            Event(() => Touched, e => e.CorrelateById(context => context.Message.Id));
            Event(() => Paid, e => e.CorrelateById(context => context.Message.Id));
            Schedule(() => Reminder, order => order.ReminderToken, s =>
            {
                s.Delay = Delay;
                s.Received = e => e.CorrelateById(context => context.Message.Id);
            });
            Initially(When(Placed).Schedule(Reminder, context => new ReminderDue(context.Message.Id)).TransitionTo(Open));
            During(
                Open,
                When(Touched).Schedule(Reminder, context => new ReminderDue(context.Message.Id)),
                When(Paid).Unschedule(Reminder),
                Ignore(Reminder!.Received));
        }

        public State Open { get; private set; } = null!;

        public Event<OrderPlaced> Placed { get; private set; } = null!;

        public Event<OrderTouched> Touched { get; private set; } = null!;

        public Event<OrderPaid> Paid { get; private set; } = null!;

        public Schedule<OrderSaga, ReminderDue> Reminder { get; private set; } = null!;
    }
}
