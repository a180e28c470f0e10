namespace Retry.Messaging.RabbitMq.Instances;

/// <summary>What an instance says of a retry point that it serves.</summary>
/// <param name="Queue">The work queue.</param>
internal sealed record ServedPoint(string Queue)
{
    /// <summary>How many message types are named at most: each announcement stays small.</summary>
    public const int MostMessageTypes = 20;

    /// <summary>The policy, in words.</summary>
    public string? Policy { get; init; }

    /// <summary>Its settings, and where they come from; empty where an older instance does not say so.</summary>
    public IReadOnlyList<ServedSetting> Settings { get; init; } = [];

    /// <summary>The version of the operators' document that it applies; 0 for none, <see langword="null"/> where an older instance follows none.</summary>
    public long? PolicyVersion { get; init; }

    /// <summary>Why it does not apply the document that operators have set; <see langword="null"/> where it does.</summary>
    public string? PolicyTrouble { get; init; }

    /// <summary>Why it takes no messages: it is ill, and the target is not; <see langword="null"/> where it takes them.</summary>
    public string? Ill { get; init; }

    /// <summary>Whether what comes back waits in the point's release queue; <see langword="null"/> where an older instance does not say so.</summary>
    public bool? HasRelease { get; init; }

    /// <summary>How many deliveries the broker hands out in advance.</summary>
    public int? Prefetch { get; init; }

    /// <summary>How many messages are consumed at a time; <see langword="null"/> where only the prefetch limits them.</summary>
    public int? Concurrency { get; init; }

    /// <summary>The types of message that are consumed, <see cref="MostMessageTypes"/> at most.</summary>
    public IReadOnlyList<string> MessageTypes { get; init; } = [];
}
