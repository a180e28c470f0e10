using MassTransit;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>A saga's schedule and the time-out of its request.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class SagaScheduleTests(BrokerFixture broker)
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(600);

    [Fact]
    public async Task The_schedule_of_a_saga_arrives_when_it_is_due()
    {
        var reminded = new Arrived<Reminded>();
        await using var service = await StartAsync(cfg => cfg.ReceiveEndpoint("reminded", e => e.Handler<Reminded>(reminded.Note)));
        var began = DateTime.UtcNow;

        await service.Bus.Publish(new CartOpened(NewId.NextGuid()));

        (await reminded.OneAsync()).At.ShouldBeGreaterThanOrEqualTo(began + Delay);
    }

    [Fact]
    public async Task The_request_of_a_saga_times_out()
    {
        var timedOut = new Arrived<PriceUnknown>();
        await using var service = await StartAsync(cfg =>
        {
            cfg.ReceiveEndpoint("unknown", e => e.Handler<PriceUnknown>(timedOut.Note));
            cfg.ReceiveEndpoint("prices", e => e.Handler<AskPrice>(_ => Task.CompletedTask));
        });
        var began = DateTime.UtcNow;

        await service.Bus.Publish(new PriceWanted(NewId.NextGuid()));

        (await timedOut.OneAsync()).At.ShouldBeGreaterThanOrEqualTo(began + Delay);
    }

    private async Task<ScheduledService> StartAsync(Action<IRabbitMqBusFactoryConfigurator> configure) =>
        await ScheduledService.StartAsync(
            await broker.CreateVirtualHostAsync(),
            (context, cfg) =>
            {
                configure(cfg);
                cfg.ConfigureEndpoints(context);
            },
            x => x.AddSagaStateMachine<CartMachine, Cart>().InMemoryRepository());

    public sealed record CartOpened(Guid Id);

    public sealed record PriceWanted(Guid Id);

    public sealed record CartForgotten(Guid Id);

    public sealed record Reminded(Guid Id);

    public sealed record AskPrice(Guid Id);

    public sealed record Price(decimal Amount);

    public sealed record PriceUnknown(Guid Id);

    public sealed class Cart : SagaStateMachineInstance
    {
        public Guid CorrelationId { get; set; }

        public string CurrentState { get; set; } = string.Empty;

        public Guid? ReminderToken { get; set; }

        public Guid? PriceRequest { get; set; }
    }

    public sealed class CartMachine : MassTransitStateMachine<Cart>
    {
        public CartMachine()
        {
            InstanceState(cart => cart.CurrentState);
            Event(() => Opened, e => e.CorrelateById(context => context.Message.Id));
            Event(() => Wanted, e => e.CorrelateById(context => context.Message.Id));
            Schedule(() => Reminder, cart => cart.ReminderToken, s =>
            {
                s.Delay = Delay;
                s.Received = e => e.CorrelateById(context => context.Message.Id);
            });
            Request(() => PriceRequest, cart => cart.PriceRequest, r =>
            {
                r.ServiceAddress = new Uri("queue:prices");
                r.Timeout = Delay;
            });
            Initially(
                When(Opened).Schedule(Reminder, context => new CartForgotten(context.Message.Id)).TransitionTo(Open),
                When(Wanted).Request(PriceRequest, context => new AskPrice(context.Message.Id)).TransitionTo(PriceRequest!.Pending));
            During(Open, When(Reminder!.Received).Publish(context => new Reminded(context.Message.Id)).Finalize());
            During(PriceRequest.Pending, When(PriceRequest.TimeoutExpired).Publish(context => new PriceUnknown(context.Saga.CorrelationId)).Finalize());
        }

        public State Open { get; private set; } = null!;

        public Event<CartOpened> Opened { get; private set; } = null!;

        public Event<PriceWanted> Wanted { get; private set; } = null!;

        public Schedule<Cart, CartForgotten> Reminder { get; private set; } = null!;

        public Request<Cart, AskPrice, Price> PriceRequest { get; private set; } = null!;
    }
}
