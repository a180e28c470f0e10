namespace Retry.Messaging.RabbitMq.Limiter.Gates;

/// <summary>What a gate answers.</summary>
internal readonly record struct GateAnswer
{
    /// <summary>A message may pass.</summary>
    public static readonly GateAnswer Open = new() { IsOpen = true };

    /// <summary>Gets a value indicating whether a message may pass.</summary>
    public bool IsOpen { get; private init; }

    /// <summary>Gets why it is closed, for people; <see langword="null"/> where that is daily business.</summary>
    public string? Reason { get; private init; }

    /// <summary>Gets after what time it is worth asking again.</summary>
    public TimeSpan AskAfter { get; private init; }

    /// <summary>No message may pass.</summary>
    public static GateAnswer Closed(TimeSpan askAfter, string? reason = null) => new() { AskAfter = askAfter, Reason = reason };
}
