using MassTransit.Configuration;
using MassTransit.RabbitMqTransport;
using Retry.Messaging.RabbitMq.Instances;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Describes a retry point to operators, once its endpoint is complete.</summary>
internal sealed class PointDescription(
    RetryPoint point,
    LivePolicy policy,
    bool hasRelease,
    ReceiveSettings settings,
    IEndpointConfiguration endpoint,
    ConsumedTypes types)
{
    /// <summary>What the instance says of the point.</summary>
    public ServedPoint Now() => new(point.Queue)
    {
        Policy = point.Rules.ToString(),
        Settings = [.. policy.Current.Origins.Select(origin => new ServedSetting(origin.Name, origin.Value, origin.From))],
        PolicyVersion = policy.Current.Version,
        PolicyTrouble = policy.Current.Trouble,
        Ill = point.Gate?.Circuit.Own.Why,
        HasRelease = hasRelease,
        Prefetch = settings.PrefetchCount,
        Concurrency = endpoint.Transport.ConcurrentMessageLimit,
        MessageTypes = [.. types.Names.Order(StringComparer.Ordinal).Take(ServedPoint.MostMessageTypes)],
    };
}
