using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Tests.Topology;

/// <summary>A broker in miniature: routes a key over a plan's bindings and dead-letters from rung to rung.</summary>
internal sealed class TopicSimulation(TopologyPlan plan)
{
    private readonly ILookup<string, BindingPlan> _bindings = plan.Bindings.ToLookup(binding => binding.Source);
    private readonly Dictionary<string, QueuePlan> _queues = plan.Queues.ToDictionary(queue => queue.Name);
    private readonly Dictionary<string, ExchangePlan> _exchanges = plan.Exchanges.ToDictionary(exchange => exchange.Name);

    /// <summary>Walks until a queue keeps the message; the time is what the rungs took.</summary>
    public (string Queue, TimeSpan Time, int Hops) Walk(string exchange, string key)
    {
        var time = TimeSpan.Zero;
        for (var hops = 0; hops <= 8; hops++)
        {
            var queue = Route(exchange, key).Distinct().Single(); // two would be two copies
            if (!_queues.TryGetValue(queue, out var found) || !found.Arguments.TryGetValue("x-message-ttl", out var ttl))
            {
                return (queue, time, hops);
            }

            time += TimeSpan.FromMilliseconds((long)ttl!);
            exchange = (string)found.Arguments["x-dead-letter-exchange"]!;
        }

        throw new InvalidOperationException($"'{key}' goes round in circles.");
    }

    private List<string> Route(string exchange, string key)
    {
        List<string> queues = [];
        foreach (var binding in _bindings[exchange].Where(binding => Fits(exchange, binding.RoutingKey, key)))
        {
            queues.AddRange(binding.ToQueue ? [binding.Destination] : Route(binding.Destination, key));
        }

        return queues.Count == 0 && _exchanges[exchange].Arguments.TryGetValue("alternate-exchange", out var alternate)
            ? Route((string)alternate!, key)
            : queues;
    }

    private bool Fits(string exchange, string pattern, string key) => _exchanges[exchange].Type switch
    {
        "fanout" => true,
        "direct" => pattern == key,
        _ => Matches(pattern.Split('.'), key.Split('.')),
    };

    private static bool Matches(ReadOnlySpan<string> pattern, ReadOnlySpan<string> words)
    {
        if (pattern.IsEmpty)
        {
            return words.IsEmpty;
        }

        return pattern[0] == "#"
            ? Matches(pattern[1..], words) || (!words.IsEmpty && Matches(pattern, words[1..]))
            : !words.IsEmpty && (pattern[0] == "*" || pattern[0] == words[0]) && Matches(pattern[1..], words[1..]);
    }
}
