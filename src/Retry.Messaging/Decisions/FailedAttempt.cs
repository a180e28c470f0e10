using Retry.Messaging.Outcomes;

namespace Retry.Messaging.Decisions;

/// <summary>An attempt that just failed, as the decision needs to know it.</summary>
/// <param name="Exception">What the consumer threw, or what stands for what it said.</param>
/// <param name="Host">The machine it happened on.</param>
internal sealed record FailedAttempt(Exception Exception, string Host)
{
    /// <summary>The message's type, where policies differ by type.</summary>
    public Type? MessageType { get; init; }

    /// <summary>The id to use for the chain when the message has none.</summary>
    public required string FallbackId { get; init; }

    /// <summary>The message's own deadline, from its time to live.</summary>
    public DateTimeOffset? MessageDeadline { get; init; }

    /// <summary>What its consumer said that it is, which stands over the rules; <see langword="null"/> where it threw.</summary>
    public Outcome? Said { get; init; }

    /// <summary>When its consumer said that it shall be tried again; <see langword="null"/> where it did not.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether a requester waits for an answer, and only until the deadline.</summary>
    public bool IsRequest { get; init; }
}
