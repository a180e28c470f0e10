namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>What a bus saw of its topology when it last looked.</summary>
/// <param name="Missing">The exchanges and queues that were not there, as messages name them; empty when all were.</param>
/// <param name="Since">When the first of them was missed; null when none is.</param>
internal sealed record TopologyCondition(IReadOnlyList<string> Missing, DateTimeOffset? Since)
{
    private const int Named = 5;

    /// <summary>Nothing is missing, as far as is known.</summary>
    public static TopologyCondition Complete { get; } = new([], null);

    /// <summary>A few of the missing parts, and how many more there are.</summary>
    public string Summary => Missing.Count <= Named
        ? string.Join(", ", Missing)
        : $"{string.Join(", ", Missing.Take(Named))} and {Missing.Count - Named} more";

    /// <summary>What a look found missing.</summary>
    public static TopologyCondition Of(TopologyPlan missing, DateTimeOffset since) =>
        TopologyLook.Names(missing).ToList() is { Count: > 0 } names ? new TopologyCondition(names, since) : Complete;
}
