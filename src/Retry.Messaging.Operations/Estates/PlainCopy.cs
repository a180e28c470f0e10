using RabbitMQ.Client;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.Operations.Estates;

/// <summary>What a message looks like when it goes from an error queue back to work: as it was sent, and with nothing of ours.</summary>
internal static class PlainCopy
{
    /// <summary>The properties of the copy.</summary>
    public static BasicProperties Of(IReadOnlyBasicProperties original)
    {
        var properties = Republication.AsSent(original);
        var headers = properties.Headers!;
        foreach (var name in headers.Keys.Where(IsOfTheFault).ToList())
        {
            headers.Remove(name);
        }

        if (headers.Count == 0)
        {
            properties.ClearHeaders();
        }

        return properties;
    }

    // With MassTransit's count of redeliveries left, the first failure would be the last: they were used up.
    private static bool IsOfTheFault(string header) =>
        header.StartsWith(MassTransitHeaderNames.FaultPrefix, StringComparison.Ordinal)
        || header.StartsWith(MassTransitHeaderNames.HostPrefix, StringComparison.Ordinal)
        || header is MassTransitHeaderNames.Reason or MassTransitHeaderNames.RedeliveryCount;
}
