using MassTransit.Configuration;
using MassTransit.RabbitMqTransport;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Instances;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Describes a retry point to operators, once its endpoint is complete.</summary>
internal sealed class PointDescription(RetryRules rules, ReceiveSettings settings, IEndpointConfiguration endpoint, ConsumedTypes types)
{
    /// <summary>What the instance says of the point.</summary>
    public ServedPoint Of(string queue) => new(queue)
    {
        Policy = rules.ToString(),
        Prefetch = settings.PrefetchCount,
        Concurrency = endpoint.Transport.ConcurrentMessageLimit,
        MessageTypes = [.. types.Names.Order(StringComparer.Ordinal).Take(ServedPoint.MostMessageTypes)],
    };
}
