using MassTransit;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>A delivery that no consumer had. The filter that makes it tells MassTransit that it has ended.</summary>
internal abstract class UnconsumedAttempt(ReceiveContext context) : IAttempt
{
    public bool WasConsumed => false;

    public void MarkSettled() => context.GetOrAddPayload(static () => SettledDelivery.Instance);

    public Task NotifyEndedAsync() => Task.CompletedTask;

    public abstract FaultDetails FaultOf(Exception exception);

    public abstract Task SendFaultAsync(Exception exception, RetryState ended, CancellationToken cancellationToken);

    public void Dispose()
    {
        // it holds nothing
    }
}
