using MassTransit;
using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Faults;

/// <summary>What every Fault of ours says in headers.</summary>
internal static class FaultedMessageHeaders
{
    // what MassTransit writes beside the headers that are taken over: ids, content type, trace context
    private const int RoomForMassTransit = 4 * 1024;

    /// <summary>Takes over from the message what MassTransit takes over into a Fault, as far as it fits into a frame.</summary>
    /// <remarks>
    /// The headers of a raw message come along as text, in which each byte that is no UTF-8 has grown to three; an envelope's, which are in its
    /// body, may be of any size. A frame that is too large ends the connection, and with it the delivery: parked already, it would be
    /// delivered, parked and announced again, without end.
    /// </remarks>
    public static void TakeOver(SendContext send, ConsumeContext message)
    {
        send.TransferConsumeContextHeaders(message);
        if (!message.TryGetPayload<ConnectionContext>(out var connection))
        {
            return; // in memory there are no frames
        }

        var headers = send.Headers.GetAll().ToDictionary(header => header.Key, object? (header) => header.Value);
        var fitting = new BasicProperties { Headers = new Dictionary<string, object?>(headers) };
        HeaderFrame.Fit(fitting, connection.Connection.FrameMax, RoomForMassTransit);
        foreach (var name in headers.Keys.Where(name => !fitting.Headers.ContainsKey(name)))
        {
            send.Headers.Set(name, (string?)null);
        }
    }

    /// <summary>The redeliveries before the last attempt. One that a process did not survive has no outcome, and is not among the recorded ones.</summary>
    public static void SetRedeliveryCount(SendContext send, RetryState parked)
    {
        var redeliveries = parked.Crashes > 0 ? parked.RecordedAttempts : parked.RecordedAttempts - 1;
        if (redeliveries > 0)
        {
            send.Headers.Set(MessageHeaders.FaultRedeliveryCount, redeliveries);
        }
    }
}
