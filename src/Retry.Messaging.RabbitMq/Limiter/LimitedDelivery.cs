using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>A message from the release queue that waits for its turn.</summary>
internal sealed record LimitedDelivery(ulong Tag, IReadOnlyBasicProperties Properties, ReadOnlyMemory<byte> Body, long ReceivedAt)
{
    /// <summary>Its way, where it was sent up the ladder again instead of to the work queue.</summary>
    public LimitedClimb? Climb { get; init; }
}
