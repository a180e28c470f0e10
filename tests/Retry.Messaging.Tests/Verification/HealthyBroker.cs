using Retry.Messaging.Operations.Verification;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Tests.Verification;

/// <summary>Facts of a broker on which all is well; each test spoils one of them.</summary>
internal static class HealthyBroker
{
    public const string Orders = "orders";

    public static readonly IReadOnlyList<RetryPointNames> Points = [RetryPointNames.For(Orders)];

    public static BrokerFacts Facts(int nodes = 1, string version = "4.0.5", bool withRelease = false)
    {
        var names = Enumerable.Range(1, nodes).Select(i => $"rabbit@n{i}").ToList();
        var plan = TopologyPlan.Ladder.Then(TopologyPlan.Point(Points[0], withRelease));
        var work = new QueueFact(Orders, "quorum")
        {
            Members = names,
            Online = names,
            Leader = names[0],
            State = "running",
            Arguments = new Dictionary<string, object?> { ["x-queue-type"] = "quorum" },
            Policy = "retry",
            EffectivePolicy = WorkQueuePolicy.For(Orders, isQuorum: true).Definition,
        };
        return new BrokerFacts
        {
            Version = version,
            Nodes = names,
            FeatureFlags = new Dictionary<string, bool> { ["stream_queue"] = true },
            Policies = [new PolicyFact("retry", "^orders$", "queues", 0, work.EffectivePolicy)],
            Exchanges = [.. plan.Exchanges.Select(exchange => new ExchangeFact(exchange.Name, exchange.Type) { Arguments = exchange.Arguments })],
            Queues = [.. plan.Queues.Select((queue, i) => new QueueFact(queue.Name, (string)queue.Arguments["x-queue-type"]!) { Arguments = queue.Arguments, Members = names, Online = names, Leader = names[i % nodes], State = "running" }), work],
            Bindings =
            [
                .. plan.Bindings.Select(binding => new BindingFact(binding.Source, binding.Destination, binding.ToQueue, binding.RoutingKey)),
                new BindingFact("", Orders, ToQueue: true, Orders),
                new BindingFact("shop", Orders, ToQueue: true, ""),
            ],
        };
    }

    public static BrokerFacts With(this BrokerFacts facts, string queue, Func<QueueFact, QueueFact> change) =>
        facts with { Queues = [.. facts.Queues.Select(fact => fact.Name == queue ? change(fact) : fact)] };

    public static QueueFact WithArgument(this QueueFact queue, string key, object? value)
    {
        var arguments = new Dictionary<string, object?>(queue.Arguments);
        if (value is null)
        {
            arguments.Remove(key);
        }
        else
        {
            arguments[key] = value;
        }

        return queue with { Arguments = arguments };
    }

    public static QueueFact WithPolicy(this QueueFact queue, string key, object? value, bool isOperators = false) => queue with
    {
        Policy = isOperators ? queue.Policy : queue.Policy ?? "spoiler",
        OperatorPolicy = isOperators ? "operator-spoiler" : queue.OperatorPolicy,
        OperatorDefinition = isOperators ? new Dictionary<string, object?>(queue.OperatorDefinition) { [key] = value } : queue.OperatorDefinition,
        EffectivePolicy = new Dictionary<string, object?>(queue.EffectivePolicy) { [key] = value },
    };
}
