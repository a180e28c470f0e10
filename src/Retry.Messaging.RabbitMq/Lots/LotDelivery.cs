using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>A delivery from a parking lot; without its message where the filter did not select it.</summary>
internal readonly record struct LotDelivery(IChannel Channel, ulong Tag, ParkedMessage? Message, IReadOnlyBasicProperties? Properties);
