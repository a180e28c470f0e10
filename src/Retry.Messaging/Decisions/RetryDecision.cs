using Retry.Messaging.Outcomes;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Decisions;

/// <summary>What becomes of a message whose attempt failed.</summary>
internal abstract record RetryDecision
{
    private RetryDecision()
    {
    }

    /// <summary>Try again after a delay.</summary>
    /// <param name="Delay">The delay, a multiple of 100 ms.</param>
    /// <param name="DueAt">The moment the next attempt is due, by this process's clock.</param>
    /// <param name="State">The state to send along.</param>
    public sealed record Again(TimeSpan Delay, DateTimeOffset DueAt, RetryState State) : RetryDecision;

    /// <summary>Park: it will not be tried again by itself.</summary>
    /// <param name="Reason">Why.</param>
    /// <param name="State">The state to park it with.</param>
    public sealed record Park(ParkReason Reason, RetryState State) : RetryDecision;

    /// <summary>Forget: its requester will not wait for it any more. Only for requests whose requester has given up before the next attempt
    /// could run.</summary>
    /// <param name="State">The state with the last failed attempt, for the answer to a requester that still waits.</param>
    public sealed record Drop(RetryState State) : RetryDecision;

    /// <summary>Done: the exception stands for success.</summary>
    public sealed record Done : RetryDecision;
}
