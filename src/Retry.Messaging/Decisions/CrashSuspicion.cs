using Retry.Messaging.Ladder;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Decisions;

/// <summary>Finds the message that kills its consumer among those that only died with it. Pure.</summary>
/// <remarks>
/// A process that dies accuses all that it held, and which of them it was at work on is not known. So each of them is sent up the
/// ladder for a drawn time, alone: the innocent come back, are consumed, and that is the end of the suspicion. The culprit comes
/// back and kills again. The time doubles with each death, so that messages that met by chance do not meet again.
/// </remarks>
internal sealed record CrashSuspicion
{
    private const int DeathsToWarnAt = 3;

    /// <summary>At how many deaths in a row, without an outcome in between, the message is parked.</summary>
    public int DeathsAtMost { get; init; } = 10;

    /// <summary>The shortest time that a suspect is kept away from its queue. The first time it is twice that at most.</summary>
    public TimeSpan Shortest { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest time that a suspect is kept away from its queue.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often the broker must have put a delivery back where it is not known whether a process died.</summary>
    public int ReturnsAtLeast { get; init; } = 3;

    /// <summary>Whether a suspicion is worth a warning: a neighbour of the killer is rarely there three times.</summary>
    /// <param name="deaths">At how many deaths in a row the message was there.</param>
    public static bool IsWorthAWarning(int deaths) => deaths >= DeathsToWarnAt;

    /// <summary>Whether a delivery is looked at at all: nearly none is.</summary>
    /// <param name="state">What the message knew when it was delivered.</param>
    /// <param name="cameBack">Whether a consumer had it before and did not settle it.</param>
    public bool Concerns(RetryState state, bool cameBack) => cameBack || state.Crashes >= DeathsAtMost;

    /// <summary>Decides about a delivery before it is consumed.</summary>
    /// <param name="state">What the message knew when it was delivered.</param>
    /// <param name="died">Whether it came back from a process that died.</param>
    /// <param name="fallbackId">Makes the id to use for the chain when the message has none.</param>
    /// <param name="now">The current time.</param>
    /// <param name="random">Where the delay is drawn from.</param>
    /// <returns>What to do with it instead of consuming it, or <see langword="null"/>: consume it.</returns>
    public RetryDecision? Decide(RetryState state, bool died, Func<string> fallbackId, DateTimeOffset now, Random random)
    {
        if (state.Crashes >= DeathsAtMost)
        {
            var ended = Identified(state, fallbackId) with { DueAt = null, ComesByAt = null, FirstFailedAt = state.FirstFailedAt ?? now };
            return new RetryDecision.Park(ParkReason.Poison, ended);
        }

        if (!died)
        {
            return null;
        }

        // No attempt is used and no line of history written: whether the consumer ever saw it is not known.
        var deaths = state.Crashes + 1;
        var most = Shortest * Math.Pow(2, deaths);
        var longest = most < Longest ? most : Longest;
        // the last time it only comes back to be parked, as a delivery that no process has died of yet
        var drawn = deaths == DeathsAtMost ? Shortest : Shortest + ((longest - Shortest) * random.NextDouble());
        var delay = DelayLadder.RoundUpToFewHops(drawn, longest);
        return new RetryDecision.Again(delay, now + delay, Identified(state, fallbackId) with { Crashes = deaths, DueAt = now + delay });
    }

    private static RetryState Identified(RetryState state, Func<string> fallbackId) =>
        state with { Id = state.Id ?? HeaderText.OneLine(fallbackId(), RetryState.MaxId) };
}
