using MassTransit;
using MassTransit.InMemoryTransport;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.InMemory;

/// <summary>The same policy, headers and counts on MassTransit's in-memory transport, for tests: no socket is ever opened.</summary>
internal sealed class InMemoryRetryTransport(
    string queue,
    int? mostRetries,
    InMemoryParkingLot parkingLot,
    PointTelemetry telemetry,
    TimeProvider time) : IRetryTransport
{
    private const string Cluster = "in-memory";
    private const string VirtualHost = "/";

    public RetryDelivery Open(ReceiveContext context, ConsumeContext? message = null)
    {
        if (!context.TryGetPayload<InMemoryReceiveEndpointContext>(out var endpoint))
        {
            throw new InvalidOperationException($"Queue '{queue}': found a delivery without the in-memory transport's context; wanted one from MassTransit's in-memory transport.");
        }

        telemetry.IsAt(Cluster, VirtualHost);
        var headers = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in context.TransportHeaders.GetAll())
        {
            headers[name] = value;
        }

        var state = RetryHeaderReader.Read(headers, queue).Bounded(mostRetries);
        if (ReferenceEquals(state, RetryState.Fresh) && message?.ExpirationTime is { } expiration)
        {
            state = state with { Kept = new KeptProperties { ExpiresAt = new DateTimeOffset(expiration.ToUniversalTime(), TimeSpan.Zero) } };
        }

        return new InMemoryRetryDelivery(queue, endpoint, context, message?.MessageId ?? context.GetMessageId(), headers, parkingLot, time)
        {
            Telemetry = telemetry,
            State = state,
            Deadline = state.Kept.ExpiresAt,
        };
    }
}
