using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.Operations.Verification;

/// <summary>Whether a queue can take messages at the moment: one that cannot stalls the rungs that its messages are in.</summary>
internal static class AvailabilityCheck
{
    /// <summary>Whether the queue is on one node only, which is stopped. Then the broker lists neither its bindings nor its policy, which
    /// says nothing about them.</summary>
    public static bool IsOnStoppedNode(QueueFact queue, BrokerFacts facts) =>
        queue.Members.Count == 0 && queue.Leader is { } node && facts.StoppedNodes.Contains(node);

    public static IEnumerable<TopologyFinding> Find(QueueFact queue, BrokerFacts facts)
    {
        var subject = $"queue '{queue.Name}'";
        var majority = (queue.Members.Count / 2) + 1;
        if (queue.Members.Count > 0 && queue.Online.Count < majority)
        {
            yield return new(
                TopologyFindingKind.Unavailable,
                subject,
                $"{queue.Online.Count} of {queue.Members.Count} replicas online",
                $"a majority, {majority}",
                "Start the nodes that are down; until then the queue stalls the rungs that its messages are in.");
        }
        else if (IsOnStoppedNode(queue, facts))
        {
            yield return new(
                TopologyFindingKind.Unavailable,
                subject,
                $"its only node, '{queue.Leader}', is stopped",
                "a running node",
                "Start the node; until then the queue stalls the rungs that its messages are in.");
        }
        else if (queue.State is "down" or "stopped" or "crashed" or "minority")
        {
            yield return new(
                TopologyFindingKind.Unavailable,
                subject,
                $"state {queue.State}",
                "running",
                $"Start its node{(queue.Leader is null ? "" : $", {queue.Leader}")}; until then the queue stalls the rungs that its messages are in.");
        }
    }
}
