using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Lost;

/// <summary>Reads a delivery from the lost queue. Its routing key tells where it was going.</summary>
internal static class LostMessageReader
{
    public static ParkedMessage Read(string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        // on the way to a parking lot the key is the work queue itself
        var destination = BrokerNames.DestinationOf(routingKey);
        var work = destination is null ? routingKey : WorkQueueOf(destination, properties.Headers is { } headers ? RetryHeaderReader.OriginOf(headers) : null);
        var message = ParkedMessageReader.Read(properties, body, RetryPointNames.For(work), destination is null ? null : ParkReason.Undeliverable);
        message.Destination = destination;
        return message;
    }

    // a limited point's messages go to its release queue
    private static string WorkQueueOf(string destination, string? origin) =>
        destination.EndsWith(BrokerNames.ReleaseSuffix, StringComparison.Ordinal) && destination[..^BrokerNames.ReleaseSuffix.Length] is var work
            && (origin is null || origin == work)
            ? work
            : destination;
}
