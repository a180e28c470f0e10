namespace Retry.Messaging.Operations.Verification;

/// <summary>What would serve the ladder, but is no difference from the plan: it works without, and not every broker lets one change it.</summary>
internal static class BrokerAdvice
{
    /// <summary>The advice for a broker, one sentence or two each.</summary>
    /// <param name="facts">What the broker has.</param>
    public static IReadOnlyList<string> For(BrokerFacts facts)
    {
        var nodes = facts.NodesWithoutAdvancedConfig;
        if (nodes.Count == 0)
        {
            return [];
        }

        return
        [
            $"{(nodes.Count == 1 ? $"node '{nodes[0]}' has" : $"{nodes.Count} nodes, '{nodes[0]}' to '{nodes[^1]}', have")} no advanced.config, so dead_letter_worker_publisher_confirm_timeout is " +
            "180000: a rung can stand still for three minutes after a restart of the broker. Set it to 5000, see docs/managed-brokers.md.",
        ];
    }
}
