using System.Globalization;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.RabbitMq.Verification;

/// <summary>Compares what a broker has with what the plan wants. Facts in, findings out; it asks nobody and changes nothing.</summary>
internal sealed class TopologyComparison
{
    private const string Apply = "Run 'retryctl topology apply'.";
    private const string DeadLetterRoutingKeyArgument = "x-dead-letter-routing-key";

    private readonly TopologyPlan _ladder;
    private readonly IReadOnlyList<RetryPointNames> _points;
    private readonly BrokerFacts _facts;
    private readonly Dictionary<string, QueueFact> _queues;
    private readonly Dictionary<string, ExchangeFact> _exchanges;
    private readonly List<TopologyFinding> _findings = [];

    private TopologyComparison(TopologyPlan ladder, IReadOnlyList<RetryPointNames> points, BrokerFacts facts)
    {
        _ladder = ladder;
        _points = points;
        _facts = facts;
        _queues = facts.Queues.ToDictionary(queue => queue.Name, StringComparer.Ordinal);
        _exchanges = facts.Exchanges.ToDictionary(exchange => exchange.Name, StringComparer.Ordinal);
    }

    /// <summary>Compares the ladder and some retry points with the facts; the worst findings come first.</summary>
    /// <param name="ladder">The ladder's plan.</param>
    /// <param name="points">The retry points to look at.</param>
    /// <param name="facts">What the broker has.</param>
    public static IReadOnlyList<TopologyFinding> Compare(TopologyPlan ladder, IReadOnlyList<RetryPointNames> points, BrokerFacts facts)
    {
        var comparison = new TopologyComparison(ladder, points, facts);
        comparison.Run();
        return [.. comparison._findings.OrderBy(finding => finding.Kind)];
    }

    /// <summary>The retry points that a broker has: whoever has a parking lot, or a way back from the ladder.</summary>
    /// <param name="facts">What the broker has.</param>
    public static IReadOnlyList<RetryPointNames> FindPoints(BrokerFacts facts)
    {
        var parked = facts.Bindings.Where(binding => binding.Source == BrokerNames.ParkingExchange && binding.ToQueue)
            .GroupBy(binding => binding.RoutingKey, StringComparer.Ordinal)
            .Select(lots => RetryPointNames.For(lots.Key) with { Parked = lots.First().Destination })
            .ToDictionary(point => point.Work, StringComparer.Ordinal);
        foreach (var destination in facts.Bindings.Where(IsWayBack).Select(binding => binding.Destination))
        {
            var isRelease = parked.Values.Any(point => point.Release == destination)
                || (destination.EndsWith(BrokerNames.ReleaseSuffix, StringComparison.Ordinal) && facts.Queues.Any(queue => queue.Name == destination[..^BrokerNames.ReleaseSuffix.Length]));
            if (!isRelease)
            {
                parked.TryAdd(destination, RetryPointNames.For(destination));
            }
        }

        return [.. parked.Values.OrderBy(point => point.Work, StringComparer.Ordinal)];
    }

    private static bool IsWayBack(BindingFact binding) =>
        binding.Source == BrokerNames.ReturnExchange && binding.ToQueue && binding.RoutingKey == BrokerNames.ReturnPattern(binding.Destination);

    private void Run()
    {
        CompareObjects(_ladder, Apply);
        foreach (var point in _points)
        {
            ComparePoint(point);
        }

        CompareBindings();
        _findings.AddRange(ClusterCheck.Find(_ladder, _points, _facts, _queues));
    }

    private void Add(TopologyFindingKind kind, string subject, string found, string wanted, string nextStep) =>
        _findings.Add(new TopologyFinding(kind, subject, found, wanted, nextStep));

    private void CompareObjects(TopologyPlan plan, string apply)
    {
        foreach (var exchange in plan.Exchanges)
        {
            CompareExchange(exchange, apply);
        }

        foreach (var queue in plan.Queues)
        {
            CompareQueue(queue, apply);
        }

        foreach (var binding in plan.Bindings.Where(binding => !_facts.Bindings.Contains(new BindingFact(binding.Source, binding.Destination, binding.ToQueue, binding.RoutingKey))))
        {
            // a missing queue or exchange is said once, not once more for its binding
            if (_exchanges.ContainsKey(binding.Source) && (binding.ToQueue ? _queues.ContainsKey(binding.Destination) : _exchanges.ContainsKey(binding.Destination)))
            {
                Add(TopologyFindingKind.Missing, $"binding '{binding.Source}' -> '{binding.Destination}'", "none", $"one with the key '{binding.RoutingKey}'", apply);
            }
        }
    }

    private void CompareExchange(ExchangePlan plan, string apply)
    {
        var subject = $"exchange '{plan.Name}'";
        if (!_exchanges.TryGetValue(plan.Name, out var fact))
        {
            Add(TopologyFindingKind.Missing, subject, "none", $"a durable {plan.Type} exchange", apply);
            return;
        }

        const string Recreate = "Delete it while no message is on its way, then run 'retryctl topology apply'.";
        if (fact.Type != plan.Type)
        {
            Add(TopologyFindingKind.Different, subject, $"type {fact.Type}", plan.Type, Recreate);
        }

        if (!fact.Durable || fact.AutoDelete || fact.Internal)
        {
            Add(TopologyFindingKind.Different, subject, string.Join(", ", new[] { fact.Durable ? null : "a transient one", fact.AutoDelete ? "auto-delete" : null, fact.Internal ? "internal" : null }.OfType<string>()), "durable, not auto-delete, not internal", Recreate);
        }

        CompareArguments(subject, plan.Arguments, fact.Arguments, Recreate);
    }

    private void CompareQueue(QueuePlan plan, string apply)
    {
        var subject = $"queue '{plan.Name}'";
        if (!_queues.TryGetValue(plan.Name, out var fact))
        {
            Add(TopologyFindingKind.Missing, subject, "none", "a durable quorum queue", apply);
            return;
        }

        const string Recreate = "Wait until it is empty, delete it, then run 'retryctl topology apply'.";
        if (!fact.Durable || fact.AutoDelete || fact.Exclusive)
        {
            Add(TopologyFindingKind.Different, subject, "a queue that does not last", "a durable one", Recreate);
        }

        // the type may come from the virtual host's default instead of an argument
        var type = plan.Arguments.GetValueOrDefault("x-queue-type")?.ToString();
        if (type is not null && fact.Type != type)
        {
            Add(TopologyFindingKind.Different, subject, $"type {fact.Type}", type, Recreate);
        }

        CompareArguments(subject, plan.Arguments, fact.Arguments, Recreate, except: "x-queue-type");
        CheckPolicy(plan, fact);
        _findings.AddRange(AvailabilityCheck.Find(fact, _facts));
    }

    private void CompareArguments(string subject, IReadOnlyDictionary<string, object?> plan, IReadOnlyDictionary<string, object?> found, string next, string? except = null)
    {
        foreach (var key in plan.Keys.Union(found.Keys).Where(key => key != except).Order(StringComparer.Ordinal))
        {
            var wanted = Text(plan.GetValueOrDefault(key));
            var actual = Text(found.GetValueOrDefault(key));
            if (wanted != actual)
            {
                Add(TopologyFindingKind.Different, subject, $"{key} {actual ?? "not set"}", wanted ?? "not set", next);
            }
        }
    }

    // On a rung the lower TTL wins, a routing key by policy leads every message astray, and a length limit refuses or drops.
    private void CheckPolicy(QueuePlan plan, QueueFact fact)
    {
        var isRung = plan.Arguments.ContainsKey(PolicyKeys.Argument(PolicyKeys.MessageTtl));
        foreach (var (key, value) in fact.EffectivePolicy.OrderBy(item => item.Key, StringComparer.Ordinal))
        {
            var planned = EffectiveSettings.Number(plan.Arguments.GetValueOrDefault(PolicyKeys.Argument(key)));
            var number = EffectiveSettings.Number(value);
            var (harm, wanted) = key switch
            {
                PolicyKeys.MessageTtl when isRung && number < planned => ("cuts the delay short", $"{planned} ms"),
                PolicyKeys.MessageTtl when !isRung => ("drops messages", "none"),
                PolicyKeys.MaxLength or PolicyKeys.MaxLengthBytes => (isRung ? "refuses messages and stalls the rung before" : "drops messages", "none"),
                PolicyKeys.Expires => ("deletes the queue with the messages in it", "none"),
                PolicyKeys.DeliveryLimit when planned is not null && number < planned => (isRung ? "sends messages on early" : "deletes messages that are looked at often", planned.Value.ToString(CultureInfo.InvariantCulture)),
                PolicyKeys.DeadLetterRoutingKey when isRung && !fact.Arguments.ContainsKey(DeadLetterRoutingKeyArgument) => ("leads every message of the rung astray", "none"),
                _ => (null, ""),
            };
            if (harm is not null)
            {
                Add(
                    TopologyFindingKind.Policy,
                    $"queue '{plan.Name}'",
                    $"{key} {Text(value)} from {EffectiveSettings.SourceOf(_facts, fact, key)}, which {harm}",
                    wanted,
                    $"Narrow the policy's pattern so that it does not match '{BrokerNames.LadderPrefix}…', release queues and parking lots, for example by a negative lookahead.");
            }
        }
    }

    private void ComparePoint(RetryPointNames point)
    {
        var isIsolated = _queues.ContainsKey(point.Release);
        var apply = $"Run 'retryctl topology apply --point {point.Work}'.";
        CompareObjects(TopologyPlan.Point(point, isIsolated), apply);
        if (!_queues.TryGetValue(point.Work, out var work))
        {
            Add(TopologyFindingKind.Missing, $"queue '{point.Work}'", "none", "the work queue of the point", $"Start the service that owns it; until then its messages go to '{BrokerNames.LostQueue}'. Or delete '{point.Parked}' when the point is given up.");
            return;
        }

        _findings.AddRange(WorkQueueCheck.Find(work, isIsolated, _facts));
    }

    private void CompareBindings()
    {
        var planned = _ladder.Bindings.Select(binding => new BindingFact(binding.Source, binding.Destination, binding.ToQueue, binding.RoutingKey)).ToHashSet();
        var ownExchanges = _ladder.Exchanges.Select(exchange => exchange.Name).ToHashSet(StringComparer.Ordinal);
        var rungs = _ladder.Queues.Select(queue => queue.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var binding in _facts.Bindings.Where(binding => !planned.Contains(binding)))
        {
            if (binding.Source == BrokerNames.ReturnExchange)
            {
                if (!IsWayBack(binding))
                {
                    Extra(binding, binding.ToQueue ? $"only the key '{BrokerNames.ReturnPattern(binding.Destination)}'" : "none: every way back leads to a queue");
                }
            }
            else if (binding.Source == BrokerNames.ParkingExchange)
            {
                var lots = _facts.Bindings.Where(other => other.Source == binding.Source && other.RoutingKey == binding.RoutingKey).ToList();
                if (lots.Count > 1 && binding.Destination != BrokerNames.ParkedQueue(binding.RoutingKey))
                {
                    Extra(binding, $"one parking lot for '{binding.RoutingKey}'; {lots.Count} get a copy of each message");
                }
            }
            else if (ownExchanges.Contains(binding.Source))
            {
                Extra(binding, "none: it makes a second copy of each message that it matches");
            }
            else if (binding.Source.Length > 0 && (binding.ToQueue ? rungs.Contains(binding.Destination) : ownExchanges.Contains(binding.Destination)))
            {
                Extra(binding, "none: only the ladder leads into the ladder");
            }
        }
    }

    private void Extra(BindingFact binding, string wanted) => Add(
        TopologyFindingKind.ExtraBinding,
        $"binding '{binding.Source}' -> '{binding.Destination}'",
        $"the key '{binding.RoutingKey}'",
        wanted,
        "Remove it: on the exchange's page of the management site, or by DELETE /api/bindings.");

    private static string? Text(object? value) => value switch
    {
        null => null,
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };
}
