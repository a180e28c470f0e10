using MassTransit;
using MassTransit.Events;
using MassTransit.Metadata;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Faults;

/// <summary>The one Fault of a parked message that no consumer took as a type.</summary>
internal static class ParkedReceiveFault
{
    /// <summary>Sends it, where MassTransit would send one.</summary>
    /// <param name="context">The delivery.</param>
    /// <param name="message">What it was read as; <see langword="null"/> when it could not be read.</param>
    /// <param name="exception">What happened.</param>
    /// <param name="parked">The state that it was parked with.</param>
    /// <param name="now">The current time.</param>
    /// <param name="cancellationToken">The Fault's own: the delivery's may be cancelled once the message is parked.</param>
    public static async Task SendAsync(
        ReceiveContext context,
        ConsumeContext? message,
        Exception exception,
        RetryState parked,
        DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        if (!context.PublishFaults && message?.FaultAddress is null && message?.ResponseAddress is null)
        {
            return;
        }

        var id = FaultId.Of(parked, context.InputAddress);
        var requestId = message?.RequestId ?? context.GetRequestId();
        ReceiveFault fault = new ReceiveFaultEvent
        {
            FaultId = id,
            Timestamp = now.UtcDateTime,
            FaultedMessageId = message?.MessageId ?? context.GetMessageId(),
            Exceptions = FaultExceptions.Of(exception),
            Host = HostMetadataCache.Host,
            FaultMessageTypes = message is null ? null : [.. message.SupportedMessageTypes],
            ContentType = context.ContentType?.MediaType,
        };
        var endpoint = await context.GetReceiveFaultEndpoint(message, requestId).ConfigureAwait(false);
        var describe = Pipe.Execute<SendContext<ReceiveFault>>(send =>
        {
            if (message is not null)
            {
                FaultedMessageHeaders.TakeOver(send, message);
            }

            send.MessageId = id;
            send.CorrelationId = message?.CorrelationId;
            send.RequestId = requestId;
            FaultedMessageHeaders.SetRedeliveryCount(send, parked);
        });
        await endpoint.Send(fault, describe, cancellationToken).ConfigureAwait(false);
    }
}
