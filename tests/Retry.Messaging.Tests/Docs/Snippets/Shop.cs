using MassTransit;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

// What the blocks of the documentation speak of.
internal sealed record ChargeRequested(string PaymentId, decimal Amount);

internal interface IUrgent;

internal sealed record OrderPaid(Guid OrderId);

internal sealed class ChargeConsumer : IConsumer<ChargeRequested>
{
    public Task Consume(ConsumeContext<ChargeRequested> context) => throw new GatewayBusyException();
}

internal sealed class CardDeclinedException : Exception;

internal sealed class GatewayBusyException : Exception;
