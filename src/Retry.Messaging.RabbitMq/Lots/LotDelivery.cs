using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>A delivery from a parking lot; without its message where the filter did not select it.</summary>
internal readonly record struct LotDelivery(IChannel Channel, ulong Tag, ParkedMessage? Message, IReadOnlyBasicProperties? Properties)
{
    /// <summary>The body, where the broker would drop the message if it were given back.</summary>
    public byte[]? BodyToRenew { get; init; }
}
