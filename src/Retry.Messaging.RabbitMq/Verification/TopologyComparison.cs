using System.Globalization;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.RabbitMq.Verification;

/// <summary>Compares what a broker has with what the plan wants. Facts in, findings out; it asks nobody and changes nothing.</summary>
internal sealed class TopologyComparison
{
    private const string Apply = "Run 'retryctl topology apply'.";
    private const string DeadLetterRoutingKeyArgument = "x-dead-letter-routing-key";
    private const string StreamQueue = "stream_queue";
    private const string StreamType = "stream";
    private const int FirstVersionWithDeliveryLimit = 4;
    private const int LastVersionWithStreamFlag = 3;
    // what RabbitMQ gives a quorum queue unless told otherwise
    private const int WantedReplicas = 3;
    // half as many leaders again as a node's fair share
    private const double CrowdedShare = 1.5;

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
        CheckFeatureFlag();
        CheckReplicas();
        CheckLeaders();
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
        CheckAvailable(fact);
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

    private void CheckAvailable(QueueFact queue)
    {
        var majority = (queue.Members.Count / 2) + 1;
        if (queue.Members.Count > 0 && queue.Online.Count < majority)
        {
            Add(TopologyFindingKind.Unavailable, $"queue '{queue.Name}'", $"{queue.Online.Count} of {queue.Members.Count} replicas online", $"a majority, {majority}", "Start the nodes that are down; until then it stalls the rungs that its messages are in.");
        }
        else if (queue.Members.Count == 0 && queue.Leader is { } node && _facts.StoppedNodes.Contains(node))
        {
            Add(TopologyFindingKind.Unavailable, $"queue '{queue.Name}'", $"its only node, '{node}', stopped", "it running", "Start the node; until then it stalls the rungs that its messages are in.");
        }
        else if (queue.State is "down" or "stopped" or "crashed" or "minority")
        {
            Add(TopologyFindingKind.Unavailable, $"queue '{queue.Name}'", $"state {queue.State}", "running", $"Start its node{(queue.Leader is null ? "" : $", {queue.Leader}")}; until then it stalls the rungs that its messages are in.");
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

        if (!work.Durable || work.AutoDelete || work.Exclusive || work.Type == StreamType)
        {
            Add(TopologyFindingKind.Different, $"queue '{point.Work}'", work.Type == StreamType ? "a stream" : "a queue that does not last", "a durable classic or quorum queue", "Declare the endpoint as durable, or call DisableGradientRetry on it.");
            return;
        }

        CheckAvailable(work);
        CheckCouldStall(work, isIsolated);
        CheckBrokerParking(work);
        if (EffectiveSettings.Limit(work, PolicyKeys.Expires) is { } expires)
        {
            Add(TopologyFindingKind.Policy, $"queue '{work.Name}'", $"expires {expires} ms, which deletes it while its messages are on the ladder", "none", "Take it out of the queue's arguments or its policy.");
        }
    }

    private void CheckCouldStall(QueueFact work, bool isIsolated)
    {
        var overflow = EffectiveSettings.Text(work, PolicyKeys.Overflow);
        if (!isIsolated && EffectiveSettings.HasLengthLimit(work) && overflow is PolicyKeys.RejectPublish or PolicyKeys.RejectPublishDeadLetter)
        {
            var limit = EffectiveSettings.Limit(work, PolicyKeys.MaxLength) is { } length ? $"max-length {length}" : $"max-length-bytes {EffectiveSettings.Limit(work, PolicyKeys.MaxLengthBytes)}";
            Add(TopologyFindingKind.CouldStall, $"queue '{work.Name}'", $"{limit} with overflow {overflow}: once full, it stalls every point whose messages are in the same rungs", "no length limit, or an isolated point", "Call Isolated() on the point, remove the limit, or let it drop the head (overflow drop-head).");
        }
    }

    private void CheckBrokerParking(QueueFact work)
    {
        var missing = new List<(string Found, string Wanted)>();
        Want(PolicyKeys.DeadLetterExchange, BrokerNames.ParkingExchange);
        Want(PolicyKeys.DeadLetterRoutingKey, work.Name);
        if (work.Type == PolicyKeys.QuorumType)
        {
            if (!EffectiveSettings.HasLengthLimit(work))
            {
                Want(PolicyKeys.DeadLetterStrategy, PolicyKeys.AtLeastOnce);
                Want(PolicyKeys.Overflow, PolicyKeys.RejectPublish);
            }

            // unset, RabbitMQ 4 drops a message after 20 returns; before, there was no limit
            var limit = EffectiveSettings.Limit(work, PolicyKeys.DeliveryLimit);
            if (limit is null ? _facts.MajorVersion >= FirstVersionWithDeliveryLimit : limit is >= 0 and < WorkQueuePolicy.DeliveryLimit)
            {
                missing.Add(($"{PolicyKeys.DeliveryLimit} {(limit is null ? "not set, which is 20" : limit.Value.ToString(CultureInfo.InvariantCulture))}", $"{PolicyKeys.DeliveryLimit} {WorkQueuePolicy.DeliveryLimit} or more"));
            }
        }

        if (missing.Count > 0)
        {
            Add(
                TopologyFindingKind.BrokerParking,
                $"queue '{work.Name}'",
                string.Join(", ", missing.Select(item => item.Found)),
                string.Join(", ", missing.Select(item => item.Wanted)) + ": otherwise what the broker itself drops is not parked",
                $"Run 'retryctl topology apply --point {work.Name}', which writes the policy or prints it merged with the one that applies.");
        }

        void Want(string key, string wanted)
        {
            var found = EffectiveSettings.Text(work, key);
            if (found != wanted)
            {
                missing.Add(($"{key} {found ?? "not set"}", $"{key} {wanted}"));
            }
        }
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

    private void CheckFeatureFlag()
    {
        if (_facts.FeatureFlags is { } flags && _facts.MajorVersion <= LastVersionWithStreamFlag && !flags.GetValueOrDefault(StreamQueue))
        {
            Add(TopologyFindingKind.FeatureFlag, $"feature flag '{StreamQueue}'", "disabled", "enabled: at-least-once dead-lettering needs it and silently falls back without", $"Run 'rabbitmqctl enable_feature_flag {StreamQueue}'.");
        }
    }

    private IEnumerable<QueueFact> OwnQueues() =>
        _ladder.Queues.Concat(_points.SelectMany(point => TopologyPlan.Point(point, _queues.ContainsKey(point.Release)).Queues))
            .Select(queue => _queues.GetValueOrDefault(queue.Name)).OfType<QueueFact>().Where(queue => queue.Members.Count > 0);

    private void CheckReplicas()
    {
        if (_facts.Nodes is not { } nodes)
        {
            return;
        }

        var wanted = Math.Min(WantedReplicas, nodes.Count);
        foreach (var few in OwnQueues().Where(queue => queue.Members.Count < wanted).GroupBy(queue => queue.Members.Count).OrderBy(group => group.Key))
        {
            var names = few.Select(queue => queue.Name).ToList();
            Add(
                TopologyFindingKind.Replicas,
                names.Count == 1 ? $"queue '{names[0]}'" : $"{names.Count} queues, '{names[0]}' to '{names[^1]}'",
                $"{few.Key} {(few.Key == 1 ? "replica" : "replicas")}",
                $"{wanted}, on {nodes.Count} nodes",
                "Run 'rabbitmq-queues grow NODE all --queue-pattern \"^retry\\.|\\.parked$|\\.release$\"' for each node that has none: queues keep the replicas of the day they were declared.");
        }
    }

    private void CheckLeaders()
    {
        var nodes = _facts.Nodes?.Count ?? 0;
        var rungs = _ladder.Queues.Select(queue => _queues.GetValueOrDefault(queue.Name)).OfType<QueueFact>().Where(queue => queue.Members.Count > 1 && queue.Leader is not null).ToList();
        if (nodes < 2 || rungs.Count < nodes)
        {
            return;
        }

        var crowded = rungs.GroupBy(queue => queue.Leader!, StringComparer.Ordinal).MaxBy(group => group.Count())!;
        var fair = (double)rungs.Count / nodes;
        if (crowded.Count() > fair * CrowdedShare)
        {
            Add(TopologyFindingKind.Leaders, "the ladder's leaders", $"{crowded.Count()} of {rungs.Count} on node '{crowded.Key}'", $"about {Math.Ceiling(fair).ToString(CultureInfo.InvariantCulture)} on each of {nodes} nodes", "Run 'rabbitmq-queues rebalance quorum --queue-pattern \"^retry\\.\"'.");
        }
    }

    private static string? Text(object? value) => value switch
    {
        null => null,
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };
}
