namespace Retry.Messaging.RabbitMq.Management;

/// <summary>A queue as it is.</summary>
internal sealed record QueueFact(string Name, string Type)
{
    public bool Durable { get; init; } = true;

    public bool AutoDelete { get; init; }

    public bool Exclusive { get; init; }

    public IReadOnlyDictionary<string, object?> Arguments { get; init; } = new Dictionary<string, object?>();

    /// <summary>The policy that applies.</summary>
    public string? Policy { get; init; }

    /// <summary>The operator policy that applies.</summary>
    public string? OperatorPolicy { get; init; }

    /// <summary>What the operator policy sets.</summary>
    public IReadOnlyDictionary<string, object?> OperatorDefinition { get; init; } = new Dictionary<string, object?>();

    /// <summary>What both together set.</summary>
    public IReadOnlyDictionary<string, object?> EffectivePolicy { get; init; } = new Dictionary<string, object?>();

    /// <summary>The node of the leader, where the queue is replicated; of the queue itself, where it is not.</summary>
    public string? Leader { get; init; }

    /// <summary>The nodes with a replica; empty for a queue that is not replicated.</summary>
    public IReadOnlyList<string> Members { get; init; } = [];

    /// <summary>Those of them that run.</summary>
    public IReadOnlyList<string> Online { get; init; } = [];

    /// <summary>The broker's word: running, idle, down, stopped, minority…</summary>
    public string? State { get; init; }
}
