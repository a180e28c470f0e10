using System.Globalization;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Operations.Verification;

/// <summary>What the ladder needs of the cluster: the feature flag, the replicas, and leaders that are spread over its nodes.</summary>
internal static class ClusterCheck
{
    private const string StreamQueue = "stream_queue";
    private const int LastVersionWithStreamFlag = 3;
    // what RabbitMQ gives a quorum queue unless told otherwise
    private const int WantedReplicas = 3;
    // half as many leaders again as a node's fair share
    private const double CrowdedShare = 1.5;

    /// <summary>Looks at the cluster.</summary>
    /// <param name="ladder">The ladder's plan.</param>
    /// <param name="points">The retry points to look at.</param>
    /// <param name="facts">What the broker has.</param>
    /// <param name="queues">Its queues by name.</param>
    public static IEnumerable<TopologyFinding> Find(
        TopologyPlan ladder,
        IReadOnlyList<RetryPointNames> points,
        BrokerFacts facts,
        IReadOnlyDictionary<string, QueueFact> queues) =>
    [
        .. FeatureFlag(facts),
        .. Replicas(
            Replicated(ladder.Queues.Concat(points.SelectMany(point => TopologyPlan.Point(point, queues.ContainsKey(point.Release)).Queues)), queues),
            facts),
        .. Leaders([.. Replicated(ladder.Queues, queues).Where(queue => queue.Members.Count > 1 && queue.Leader is not null)], facts),
    ];

    private static IEnumerable<QueueFact> Replicated(IEnumerable<QueuePlan> plan, IReadOnlyDictionary<string, QueueFact> queues) =>
        plan.Select(queue => queues.GetValueOrDefault(queue.Name)).OfType<QueueFact>().Where(queue => queue.Members.Count > 0);

    private static IEnumerable<TopologyFinding> FeatureFlag(BrokerFacts facts)
    {
        if (facts.FeatureFlags is { } flags && facts.MajorVersion <= LastVersionWithStreamFlag && !flags.GetValueOrDefault(StreamQueue))
        {
            yield return new(
                TopologyFindingKind.FeatureFlag,
                $"feature flag '{StreamQueue}'",
                "disabled",
                "enabled, because without it the broker silently replaces at-least-once dead-lettering by at-most-once",
                $"Run 'rabbitmqctl enable_feature_flag {StreamQueue}'.");
        }
    }

    private static IEnumerable<TopologyFinding> Replicas(IEnumerable<QueueFact> queues, BrokerFacts facts)
    {
        if (facts.Nodes is not { } nodes)
        {
            yield break;
        }

        var wanted = Math.Min(WantedReplicas, nodes.Count);
        foreach (var few in queues.Where(queue => queue.Members.Count < wanted).GroupBy(queue => queue.Members.Count).OrderBy(group => group.Key))
        {
            var names = few.Select(queue => queue.Name).ToList();
            yield return new(
                TopologyFindingKind.Replicas,
                names.Count == 1 ? $"queue '{names[0]}'" : $"{names.Count} queues, '{names[0]}' to '{names[^1]}'",
                $"{few.Key} {(few.Key == 1 ? "replica" : "replicas")}",
                $"{wanted}, on {nodes.Count} nodes",
                "Run 'rabbitmq-queues grow NODE all --queue-pattern \"^retry\\.|\\.parked$|\\.release$\"' for each node that has no replica, because a queue keeps the replicas that it was declared with.");
        }
    }

    private static IEnumerable<TopologyFinding> Leaders(IReadOnlyList<QueueFact> rungs, BrokerFacts facts)
    {
        var nodes = facts.Nodes?.Count ?? 0;
        if (nodes < 2 || rungs.Count < nodes)
        {
            yield break;
        }

        var crowded = rungs.GroupBy(queue => queue.Leader!, StringComparer.Ordinal).MaxBy(group => group.Count())!;
        var fair = (double)rungs.Count / nodes;
        if (crowded.Count() > fair * CrowdedShare)
        {
            yield return new(
                TopologyFindingKind.Leaders,
                "the ladder's leaders",
                $"{crowded.Count()} of {rungs.Count} on node '{crowded.Key}'",
                $"about {Math.Ceiling(fair).ToString(CultureInfo.InvariantCulture)} on each of {nodes} nodes",
                "Run 'rabbitmq-queues rebalance quorum --queue-pattern \"^retry\\.\"'.");
        }
    }
}
