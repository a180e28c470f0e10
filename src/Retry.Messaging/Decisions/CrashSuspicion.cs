using Retry.Messaging.Ladder;
using Retry.Messaging.Outcomes;
using Retry.Messaging.State;

namespace Retry.Messaging.Decisions;

/// <summary>Finds the message that kills its consumer among those that only died with it. Pure.</summary>
/// <remarks>
/// A process that dies, and one that is restarted in good order as well, raises the broker's delivery count of everything that
/// it held, so the count accuses a whole prefetch window at once. What was returned too often is sent up the ladder for a drawn time, alone:
/// the innocent come back, are consumed, and that is the end of the suspicion. The culprit comes back and kills again.
/// </remarks>
internal sealed record CrashSuspicion
{
    /// <summary>How often a delivery may be returned to its queue before it is suspected.</summary>
    public int ReturnsAtLeast { get; init; } = 3;

    /// <summary>At which suspicion in a row, without an outcome in between, the message is parked.</summary>
    public int CrashesAtMost { get; init; } = 5;

    /// <summary>The shortest time that a suspect is kept away from its queue.</summary>
    public TimeSpan Shortest { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest time that a suspect is kept away from its queue.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Decides about a delivery before it is consumed.</summary>
    /// <param name="state">What the message knew when it was delivered.</param>
    /// <param name="returns">How often the broker had to put this delivery back into its queue.</param>
    /// <param name="fallbackId">The id to use for the chain when the message has none.</param>
    /// <param name="now">The current time.</param>
    /// <param name="random">Where the delay is drawn from.</param>
    /// <returns>What to do with it instead of consuming it, or <see langword="null"/>: consume it.</returns>
    public RetryDecision? Decide(RetryState state, int returns, string fallbackId, DateTimeOffset now, Random random)
    {
        if (returns < ReturnsAtLeast)
        {
            return null;
        }

        // No attempt is used and no line of history written: nobody knows whether the consumer ever saw it.
        var suspect = state with
        {
            Id = state.Id ?? HeaderText.OneLine(fallbackId, RetryState.MaxId),
            Crashes = Math.Min(state.Crashes, int.MaxValue - 1) + 1,
        };
        if (suspect.Crashes >= CrashesAtMost)
        {
            return new RetryDecision.Park(ParkReason.Poison, suspect with { DueAt = null, FirstFailedAt = state.FirstFailedAt ?? now });
        }

        var delay = DelayLadder.RoundUpToFewHops(Shortest + ((Longest - Shortest) * random.NextDouble()), Longest);
        return new RetryDecision.Again(delay, now + delay, suspect with { DueAt = now + delay });
    }
}
