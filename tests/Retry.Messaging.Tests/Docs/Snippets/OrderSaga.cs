using MassTransit;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal sealed class OrderState : SagaStateMachineInstance
{
    public Guid CorrelationId { get; set; }

    public string? CurrentState { get; set; }
}

internal sealed class OrderStateMachine : MassTransitStateMachine<OrderState>
{
    public OrderStateMachine()
    {
        InstanceState(order => order.CurrentState);

        Event(() => Paid, paid =>
        {
            paid.CorrelateById(context => context.Message.OrderId);
            paid.OnMissingInstance(missing => missing.Fault());     // a SagaException, which the policy decides on
        });

        DuringAny(When(Paid).Finalize());
    }

    public Event<OrderPaid> Paid { get; } = null!;

    public static void Configure(IRegistrationContext context, IReceiveEndpointConfigurator e)
    {
        e.UseGradientRetry(context, retry => retry.For<SagaException>(missing => missing.Intervals("1s", "5s", "30s")));
    }
}
