namespace Retry.Messaging.RabbitMq.Instances;

/// <summary>What an instance says of a retry point that it serves.</summary>
/// <param name="Queue">The work queue.</param>
internal sealed record ServedPoint(string Queue)
{
    /// <summary>How many message types are named at most: each announcement stays small.</summary>
    public const int MostMessageTypes = 20;

    /// <summary>The policy, in words.</summary>
    public string? Policy { get; init; }

    /// <summary>How many deliveries the broker hands out in advance.</summary>
    public int? Prefetch { get; init; }

    /// <summary>How many messages are consumed at a time; <see langword="null"/> where only the prefetch limits them.</summary>
    public int? Concurrency { get; init; }

    /// <summary>The types of message that are consumed, <see cref="MostMessageTypes"/> at most.</summary>
    public IReadOnlyList<string> MessageTypes { get; init; } = [];
}
