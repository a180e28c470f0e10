using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>A delivery from a parking lot; without its message where the filter did not select it.</summary>
internal readonly record struct LotDelivery(IChannel Channel, ulong Tag, ParkedMessage? Message, IReadOnlyBasicProperties? Properties)
{
    /// <summary>Whether there is none: it only woke who waited (<see cref="LotArrivals.Wake"/>).</summary>
    public bool IsNone => Channel is null;

    /// <summary>Whether it came behind as many as were ready at the start, and only has to be given back.</summary>
    public bool ComesLate { get; init; }

    /// <summary>The body, where the broker would drop the message if it were given back.</summary>
    public byte[]? BodyToRenew { get; init; }
}
