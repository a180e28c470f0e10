using System.Collections.Concurrent;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>The names and topology of each point of a bus.</summary>
internal sealed class PointPlaces
{
    private readonly ConcurrentDictionary<(string Queue, bool HasRelease), RabbitMqPoint> _places = new();

    /// <summary>The place of a point: one instance for each queue, so that endpoint, limiter and publisher share one pending declaration.</summary>
    public RabbitMqPoint Of(string queue, RetryRules rules) =>
        _places.GetOrAdd((queue, rules.NeedsReleaseQueue), static place => new RabbitMqPoint(RetryPointNames.For(place.Queue), place.HasRelease));

    /// <summary>Tells why a point cannot have the queues that it needs; <see langword="null"/> when it can.</summary>
    public string? WhyUnusable(string queue, RetryRules rules)
    {
        if (BrokerNames.WhyNotADestination(queue) is { } unusable)
        {
            return unusable;
        }

        var names = RetryPointNames.For(queue);
        if (names.WhyUnusable(rules.NeedsReleaseQueue) is { } why)
        {
            return why;
        }

        foreach (var (other, hasRelease) in _places.Keys)
        {
            var point = RetryPointNames.For(other);
            var (limited, taken) = (rules.NeedsReleaseQueue && names.Release == other, hasRelease && point.Release == queue);
            if (limited || taken)
            {
                var (first, second) = limited ? (names, other) : (point, queue);
                return $"Queue '{first.Work}' cannot be limited or isolated: its release queue '{second}' is another endpoint's work queue, whose messages the limiter would take. Rename one of the two.";
            }
        }

        return null;
    }
}
