using System.Collections.Concurrent;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>The names and topology of each point of a bus.</summary>
/// <param name="names">Derives a point's names from its work queue; may be the user's own.</param>
internal sealed class PointPlaces(Func<string, RetryPointNames> names)
{
    private readonly ConcurrentDictionary<(string Queue, bool HasRelease), RabbitMqPoint> _places = new();

    /// <summary>The place of a point: one instance for each queue, so that endpoint, limiter and publisher share one pending declaration.</summary>
    public RabbitMqPoint Of(string queue, RetryRules rules) =>
        _places.GetOrAdd((queue, rules.NeedsReleaseQueue), place => new RabbitMqPoint(names(place.Queue), place.HasRelease));

    /// <summary>Tells why the names of a point cannot be used; <see langword="null"/> when they can.</summary>
    public string? WhyUnusable(string queue, RetryRules rules)
    {
        var derived = names(queue);
        if (derived?.Work != queue)
        {
            var found = derived is null ? "no names" : $"the names of '{derived.Work}'";
            return $"Queue '{queue}' cannot be a retry point: found {found}, wanted those of its own queues. Mend QueueNames.";
        }

        if (derived.WhyUnusable(rules.NeedsReleaseQueue) is { } why)
        {
            return why;
        }

        var other = rules.NeedsReleaseQueue
            ? _places.Values.FirstOrDefault(place => place.HasRelease && place.Names.Work != queue && place.Names.Release == derived.Release)
            : null;
        return other is null
            ? null
            : $"Queue '{queue}' cannot be limited or isolated: found '{derived.Release}' as its release queue and as that of '{other.Names.Work}', wanted one for each. Mend QueueNames.";
    }
}
