namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>When a running service looks after the topology.</summary>
internal sealed record TopologyRounds
{
    /// <summary>The mean time between two looks; each is drawn from 80 to 120 % of it, so that services do not look all at once.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The shortest time between two looks, however many publishes find something missing.</summary>
    public TimeSpan Shortest { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After what time an exchange that is missing is looked for again, before anything is declared.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the exchanges of a ladder that has lost all of them stay away: longer than the longest interval.</summary>
    /// <remarks>
    /// Nothing moves meanwhile, so nothing can go astray, and every running service binds its queues at its own next look. With
    /// the ladder back first, messages of those that have not looked yet would end in the lost queue.
    /// </remarks>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(40);
}
