using MassTransit;
using MassTransit.Context;
using MassTransit.Events;
using MassTransit.Metadata;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Faults;

/// <summary>A message whose attempt failed, with what its one Fault needs.</summary>
/// <remarks>The context is the one outside every outbox, so that the Fault is not held back by one.</remarks>
internal sealed class FaultedMessage<T>(ConsumeContext context, T message) : IFaultedMessage
    where T : class
{
    public string? ConsumerType { get; init; }

    public TimeSpan Duration { get; init; }

    public Type? MessageType => typeof(T) == typeof(UnroutedMessage) ? null : typeof(T);

    private string Consumer => ConsumerType ?? TypeCache<T>.ShortName;

    public Task NotifyEndedAsync() => context.ReceiveContext.NotifyConsumed(Typed(), Duration, Consumer);

    public async Task SendFaultAsync(Exception exception, RetryState parked, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var typed = Typed();
        if (context.ReceiveContext.PublishFaults || context.FaultAddress is not null || context.ResponseAddress is not null)
        {
            var sending = MessageType is null
                ? ParkedReceiveFault.SendAsync(context.ReceiveContext, context, exception, parked, now, cancellationToken)
                : SendFaultAsync(typed, exception, parked, now, cancellationToken);
            await sending.ConfigureAwait(false);
        }

        await NotifyFaultedAsync(typed, exception).ConfigureAwait(false);
    }

    // MassTransit notes first that the delivery has faulted, then writes the exception to its log: that reads a user's code, and may throw.
    private async Task NotifyFaultedAsync(ConsumeContext<T> typed, Exception exception)
    {
        try
        {
            await context.ReceiveContext.NotifyFaulted(typed, Duration, Consumer, exception).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // the Fault is out: nothing that is thrown here may send another
        catch (Exception) when (context.ReceiveContext.IsFaulted)
        {
        }
#pragma warning restore CA1031
    }

    private async Task SendFaultAsync(ConsumeContext<T> typed, Exception exception, RetryState parked, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var id = FaultId.Of(parked, context.ReceiveContext.InputAddress);
        Fault<T> fault = new FaultEvent<T>(
            message,
            context.MessageId,
            HostMetadataCache.Host,
            FaultExceptions.Of(exception),
            [.. context.SupportedMessageTypes])
        {
            FaultId = id,
            Timestamp = now.UtcDateTime,
        };
        var endpoint = await typed.GetFaultEndpoint<T>().ConfigureAwait(false);
        await endpoint.Send(fault, Pipe.Execute<SendContext<Fault<T>>>(send => Describe(send, id, parked)), cancellationToken).ConfigureAwait(false);
    }

    private void Describe(SendContext send, Guid id, RetryState parked)
    {
        FaultedMessageHeaders.TakeOver(send, context);
        send.MessageId = id;
        send.CorrelationId = context.CorrelationId;
        send.RequestId = context.RequestId;
        FaultedMessageHeaders.SetRedeliveryCount(send, parked);
    }

    private MessageConsumeContext<T> Typed() => new(context, message);
}
