using System.Globalization;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Operations.Verification;

/// <summary>Compares what a broker has with what the plan wants. Facts in, findings out; it asks nobody and changes nothing.</summary>
internal sealed class TopologyComparison
{
    private const string DeadLetterRoutingKeyArgument = "x-dead-letter-routing-key";

    private readonly TopologyPlan _ladder;
    private readonly IReadOnlyList<RetryPointNames> _points;
    private readonly IReadOnlyCollection<string> _isolated;
    private readonly BrokerFacts _facts;
    private readonly Dictionary<string, QueueFact> _queues;
    private readonly Dictionary<string, ExchangeFact> _exchanges;
    private readonly string _applyAll;
    private readonly List<TopologyFinding> _findings = [];

    private TopologyComparison(TopologyPlan ladder, IReadOnlyList<RetryPointNames> points, BrokerFacts facts, IReadOnlyCollection<string> isolated)
    {
        _ladder = ladder;
        _points = points;
        _isolated = isolated;
        _facts = facts;
        _queues = facts.Queues.ToDictionary(queue => queue.Name, StringComparer.Ordinal);
        _exchanges = facts.Exchanges.ToDictionary(exchange => exchange.Name, StringComparer.Ordinal);
        var known = KnownPoints.Find(facts).Concat(points).ToList();
        _applyAll = known.Count == 0 ? "'retryctl topology apply' with --point for each retry point" : Apply(known);
    }

    /// <summary>Compares the ladder and some retry points with the facts; the worst findings come first.</summary>
    /// <param name="ladder">The ladder's plan.</param>
    /// <param name="points">The retry points to look at.</param>
    /// <param name="facts">What the broker has.</param>
    /// <param name="isolated">The work queues of those that must have a release queue; any other may.</param>
    public static IReadOnlyList<TopologyFinding> Compare(
        TopologyPlan ladder,
        IReadOnlyList<RetryPointNames> points,
        BrokerFacts facts,
        IReadOnlyCollection<string>? isolated = null)
    {
        var comparison = new TopologyComparison(ladder, points, facts, isolated ?? []);
        comparison.Run();
        return [.. comparison.WithOneCommand().OrderBy(finding => finding.Kind)];
    }

    private void Run()
    {
        // 'apply' declares these two with the bindings of the named points only, so it must be told all of them
        var hasWayBack = TopologyPlan.WayBack.Exchanges.All(exchange => _exchanges.ContainsKey(exchange.Name));
        CompareObjects(_ladder, hasWayBack ? Apply([]) : _applyAll);
        foreach (var point in _points)
        {
            ComparePoint(point, hasWayBack ? Apply([point]) : _applyAll);
        }

        _findings.AddRange(ExtraBindings.Find(_ladder, _facts));
        _findings.AddRange(ClusterCheck.Find(_ladder, _points, _facts, _queues));
    }

    // One command for all points that lack something: however many findings there are, they have one next step.
    private IEnumerable<TopologyFinding> WithOneCommand()
    {
        List<RetryPointNames> lacking = [.. _points.Where(point => _findings.Any(finding => finding.NextStep.Contains(
            Apply([point]),
            StringComparison.Ordinal)))];
        var all = Apply(lacking);
        return _findings.Select(finding => finding with
        {
            NextStep = lacking.Aggregate(finding.NextStep, (step, point) => step.Replace(Apply([point]), all, StringComparison.Ordinal)),
        });
    }

    private string Apply(IReadOnlyList<RetryPointNames> points) =>
        $"'{ApplyCommand.For(points.Select(point => point.Work), points.Where(IsIsolated).Select(point => point.Work))}'";

    private bool IsIsolated(RetryPointNames point) => _isolated.Contains(point.Work) || _queues.ContainsKey(point.Release);

    private void Add(TopologyFindingKind kind, string subject, string found, string wanted, string nextStep) =>
        _findings.Add(new TopologyFinding(kind, subject, found, wanted, nextStep));

    private void CompareObjects(TopologyPlan plan, string apply)
    {
        foreach (var exchange in plan.Exchanges)
        {
            CompareExchange(exchange, exchange.Name is BrokerNames.ParkingExchange or BrokerNames.ReturnExchange ? _applyAll : apply);
        }

        foreach (var queue in plan.Queues)
        {
            CompareQueue(queue, apply);
        }

        foreach (var binding in plan.Bindings.Where(binding => !_facts.Bindings.Contains(new BindingFact(
            binding.Source,
            binding.Destination,
            binding.ToQueue,
            binding.RoutingKey))))
        {
            // a missing queue or exchange, or a stopped node, is said once, not once more for its binding
            if (_exchanges.ContainsKey(binding.Source)
                && (binding.ToQueue
                    ? _queues.TryGetValue(binding.Destination, out var queue) && !AvailabilityCheck.IsOnStoppedNode(queue, _facts)
                    : _exchanges.ContainsKey(binding.Destination)))
            {
                Add(
                    TopologyFindingKind.Missing,
                    $"binding '{binding.Source}' -> '{binding.Destination}'",
                    "none",
                    $"one with the key '{binding.RoutingKey}'",
                    $"Run {apply}.");
            }
        }
    }

    private void CompareExchange(ExchangePlan plan, string apply)
    {
        var subject = $"exchange '{plan.Name}'";
        if (!_exchanges.TryGetValue(plan.Name, out var fact))
        {
            Add(TopologyFindingKind.Missing, subject, "none", $"a durable {plan.Type} exchange", $"Run {apply}.");
            return;
        }

        var recreate = $"Delete it while no message is on its way, then run {apply}.";
        if (fact.Type != plan.Type)
        {
            Add(TopologyFindingKind.Different, subject, $"type {fact.Type}", plan.Type, recreate);
        }

        if (!fact.Durable || fact.AutoDelete || fact.Internal)
        {
            Add(
                TopologyFindingKind.Different,
                subject,
                string.Join(
                    ", ",
                    new[] { fact.Durable ? null : "a transient one", fact.AutoDelete ? "auto-delete" : null, fact.Internal ? "internal" : null }.OfType<string>()),
                "durable, not auto-delete, not internal",
                recreate);
        }

        CompareArguments(subject, plan.Arguments, fact.Arguments, recreate);
    }

    private void CompareQueue(QueuePlan plan, string apply)
    {
        var subject = $"queue '{plan.Name}'";
        if (!_queues.TryGetValue(plan.Name, out var fact))
        {
            Add(TopologyFindingKind.Missing, subject, "none", "a durable quorum queue", $"Run {apply}.");
            return;
        }

        var recreate = $"Wait until it is empty, delete it, then run {apply}.";
        if (!fact.Durable || fact.AutoDelete || fact.Exclusive)
        {
            Add(TopologyFindingKind.Different, subject, "a queue that does not last", "a durable one", recreate);
        }

        // the type may come from the virtual host's default instead of an argument
        var type = plan.Arguments.GetValueOrDefault("x-queue-type")?.ToString();
        if (type is not null && fact.Type != type)
        {
            Add(TopologyFindingKind.Different, subject, $"type {fact.Type}", type, recreate);
        }

        CompareArguments(subject, plan.Arguments, fact.Arguments, recreate, except: "x-queue-type");
        CheckPolicy(plan, fact);
        _findings.AddRange(AvailabilityCheck.Find(fact, _facts));
    }

    private void CompareArguments(
        string subject,
        IReadOnlyDictionary<string, object?> plan,
        IReadOnlyDictionary<string, object?> found,
        string next,
        string? except = null)
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
                PolicyKeys.DeliveryLimit when planned is not null && number < planned =>
                    (isRung ? "sends messages on early" : "deletes messages that are looked at often", planned.Value.ToString(CultureInfo.InvariantCulture)),
                PolicyKeys.DeadLetterRoutingKey when isRung && !fact.Arguments.ContainsKey(DeadLetterRoutingKeyArgument) =>
                    ("sends every message of the rung to a wrong place", "none"),
                _ => (null, ""),
            };
            if (harm is not null)
            {
                Add(
                    TopologyFindingKind.Policy,
                    $"queue '{plan.Name}'",
                    $"{key} {Text(value)} from {PolicySource.Of(_facts, fact, key)}, which {harm}",
                    wanted,
                    $"Narrow the policy's pattern so that it does not match '{BrokerNames.LadderPrefix}…', release queues and parking lots, for example by a negative lookahead.");
            }
        }
    }

    private void ComparePoint(RetryPointNames point, string apply)
    {
        var isIsolated = IsIsolated(point);
        CompareObjects(TopologyPlan.Point(point, isIsolated), apply);
        if (!_queues.TryGetValue(point.Work, out var work))
        {
            Add(
                TopologyFindingKind.Missing,
                $"queue '{point.Work}'",
                "none",
                "the work queue of the point",
                $"Start the service that owns it, then run {apply} unless its ManageTopology is OnStart; until then its messages go to '{BrokerNames.LostQueue}'. Or delete '{point.Parked}' when the point is given up.");
            return;
        }

        _findings.AddRange(WorkQueueCheck.Find(work, isIsolated, _facts, apply));
    }

    private static string? Text(object? value) => value switch
    {
        null => null,
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };
}
