using Retry.Messaging.Configuration;
using Retry.Messaging.Ladder;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Policies;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Decisions;

/// <summary>Decides what becomes of a message whose attempt failed. Pure: no clock, no broker, no log.</summary>
/// <remarks>
/// The life of a message:
/// <list type="number">
/// <item>It arrives in the work queue; the consumer gets it: attempt 1.</item>
/// <item>The consumer throws. The exception is classified: OK ends here, FAIL is parked, anything unsure is ERROR.</item>
/// <item>ERROR: the policy is asked for the delay before the next attempt, and the message climbs the ladder.</item>
/// <item>It comes back and is attempt 2, and so on, until it succeeds or the policy has no further delay: Exhausted.</item>
/// <item>When the next attempt would be due after the message's deadline, it is parked now: Expired.</item>
/// </list>
/// </remarks>
internal static class RetryDecider
{
    /// <summary>Decides.</summary>
    /// <param name="state">What the message knew when it was delivered.</param>
    /// <param name="failure">What happened.</param>
    /// <param name="rules">The rules of its retry point.</param>
    /// <param name="now">The current time.</param>
    /// <param name="random">Where jitter comes from.</param>
    public static RetryDecision Decide(RetryState state, FailedAttempt failure, RetryRules rules, DateTimeOffset now, Random random)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(failure);
        ArgumentNullException.ThrowIfNull(rules);

        var exception = failure.Exception;
        var outcome = failure.Said ?? rules.Classify(exception, failure.MessageType);
        if (outcome == Outcome.Ok)
        {
            return new RetryDecision.Done();
        }

        var policy = rules.PolicyFor(exception, failure.MessageType);
        var chain = Bounded(state, failure, rules, now);
        var failed = Failed(chain, BoundedAttempt(state, policy), failure, now);
        if (outcome == Outcome.Fail)
        {
            return new RetryDecision.Park(ParkReason.Failed, failed);
        }

        if (rules.Switch == RetrySwitch.Off)
        {
            return new RetryDecision.Park(ParkReason.SwitchedOff, failed);
        }

        // Only decorrelated jitter needs the previous delay. Parsing the history for it costs, so the others skip it.
        if (policy.NextDelay(state.Attempt, policy.Jitter == Jitter.Decorrelated ? state.PreviousDelay : null, random) is not { } drawn)
        {
            return new RetryDecision.Park(ParkReason.Exhausted, failed);
        }

        var left = chain.Deadline!.Value - now;
        var delay = (failure.RetryAfter ?? rules.RetryAfter(exception, failure.MessageType)) is { } asked
            ? DelayLadder.RoundUp(Shorter(DelaySchedule.LongestDelay, asked))
            : policy.Jitter == Jitter.None
                ? DelayLadder.RoundUp(drawn)
                : DelayLadder.RoundUpToFewHops(drawn, Shorter(policy.Schedule.Cap, drawn <= left ? left : null));
        return ComesTooLate(delay, left) ? TooLate(failed, failure) : Again(failed, delay, now);
    }

    /// <summary>Parks a message that no consumer took: it cannot be read, or no consumer takes its type. Trying again would change nothing.</summary>
    /// <param name="state">What the message knew when it was delivered.</param>
    /// <param name="failure">What happened.</param>
    /// <param name="reason">Why it is parked.</param>
    /// <param name="now">The current time.</param>
    public static RetryDecision.Park Refuse(RetryState state, FailedAttempt failure, ParkReason reason, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(failure);

        return new RetryDecision.Park(
            reason,
            Failed(state, state.Attempt, failure, now) with { FirstFailedAt = state.FirstFailedAt is { } first && first < now ? first : now });
    }

    /// <summary>Decides on a message whose consumer asked for another attempt: one like any other, within the policy's bounds, but nothing failed.</summary>
    /// <remarks>It is written into the history, from which a delivery knows how long its delay was.</remarks>
    /// <param name="state">What the message knew when it was delivered.</param>
    /// <param name="asked">The attempt that asked, with the exception that says so where the policy allows no other.</param>
    /// <param name="delay">The delay that it asked for, rounded up to 100 ms.</param>
    /// <param name="rules">The rules of its retry point.</param>
    /// <param name="now">The current time.</param>
    /// <param name="random">Where jitter comes from, in a policy of which only the bound is asked.</param>
    public static RetryDecision Redeliver(RetryState state, FailedAttempt asked, TimeSpan delay, RetryRules rules, DateTimeOffset now, Random random)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(asked);
        ArgumentNullException.ThrowIfNull(rules);

        var policy = rules.PolicyForMessage(asked.MessageType);
        var chain = Bounded(state, asked, rules, now);
        if (policy.NextDelay(state.Attempt, null, random) is null)
        {
            return new RetryDecision.Park(ParkReason.Exhausted, Failed(chain, BoundedAttempt(state, policy), asked, now));
        }

        var rounded = DelayLadder.RoundUp(Shorter(DelaySchedule.LongestDelay, delay));
        if (ComesTooLate(rounded, chain.Deadline!.Value - now))
        {
            return TooLate(Failed(chain, BoundedAttempt(state, policy), asked, now), asked);
        }

        var attempt = new RetryAttempt(BoundedAttempt(state, policy), now, asked.Host, "Redeliver", "its consumer asked for it");
        return Again(Attempted(chain, asked.FallbackId, attempt, state.Error), rounded, now);
    }

    /// <summary>Decides on a message that comes back later though nothing failed: no attempt is used, and the chain's validity bounds it.</summary>
    /// <param name="state">What the message knew when it was delivered.</param>
    /// <param name="postponed">The delivery, with the exception that says why, which is written down where the message is parked.</param>
    /// <param name="delay">How much later, rounded up to 100 ms.</param>
    /// <param name="rules">The rules of its retry point.</param>
    /// <param name="now">The current time.</param>
    public static RetryDecision Postpone(RetryState state, FailedAttempt postponed, TimeSpan delay, RetryRules rules, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(postponed);
        ArgumentNullException.ThrowIfNull(rules);

        var chain = Bounded(state, postponed, rules, now);
        var rounded = DelayLadder.RoundUp(Shorter(DelaySchedule.LongestDelay, delay));
        return ComesTooLate(rounded, chain.Deadline!.Value - now)
            ? TooLate(Failed(chain, chain.Attempt, postponed, now), postponed)
            : Again(chain with { Id = chain.Id ?? HeaderText.OneLine(postponed.FallbackId, RetryState.MaxId) }, rounded, now);
    }

    /// <summary>The state with the bounds in time of its chain.</summary>
    private static RetryState Bounded(RetryState state, FailedAttempt failure, RetryRules rules, DateTimeOffset now)
    {
        // a first failure in the future would prolong the validity: another clock wrote it, or a stranger
        var firstFailedAt = state.FirstFailedAt is { } first && first < now ? first : now;
        return state with
        {
            FirstFailedAt = firstFailedAt,
            // one that has been written down only shrinks, whatever an operator or a deployment says since
            Deadline = Earlier(state.Deadline, Earlier(failure.MessageDeadline, Later(firstFailedAt, rules.ValidForMessage(failure.MessageType)))),
        };
    }

    private static bool ComesTooLate(TimeSpan delay, TimeSpan left) => left <= TimeSpan.Zero || delay > left;

    private static RetryDecision TooLate(RetryState state, FailedAttempt failure) =>
        failure.IsRequest && failure.MessageDeadline is not null
            ? new RetryDecision.Drop(state)
            : new RetryDecision.Park(ParkReason.Expired, state);

    private static RetryDecision.Again Again(RetryState state, TimeSpan delay, DateTimeOffset now) =>
        new(delay, now + delay, state with { DueAt = now + delay });

    // For what is written down only: whether there is a next attempt is asked with the number that came, or a number brought
    // down by one policy would grant attempts by another. What the history bears out stays, also after a policy was shortened.
    private static int BoundedAttempt(RetryState state, RetryPolicy policy) =>
        policy.MaxRetries is { } retries && state.Attempt > retries + 1L && state.Attempt != (state.History.Latest?.Number ?? 0) + 1L
            ? retries + 1
            : state.Attempt;

    /// <summary>The state after a failed attempt: one attempt more, the error and the history written down.</summary>
    private static RetryState Failed(RetryState state, int number, FailedAttempt failure, DateTimeOffset now)
    {
        var type = HeaderText.TypeName(failure.Exception);
        var message = HeaderText.Message(failure.Exception);
        var attempt = new RetryAttempt(number, now, failure.Host, type, message);
        return Attempted(state, failure.FallbackId, attempt, HeaderText.OneLine(type + RetryHistory.ErrorSeparator + message, RetryState.MaxError)) with
        {
            ErrorTypes = HeaderText.TypeNames(failure.Exception, RetryState.MaxError),
        };
    }

    private static RetryState Attempted(RetryState state, string fallbackId, RetryAttempt attempt, string? error) => state with
    {
        Id = state.Id ?? HeaderText.OneLine(fallbackId, RetryState.MaxId),
        Attempt = Math.Min(attempt.Number, int.MaxValue - 1) + 1,
        DueAt = null,
        ComesByAt = null,
        Error = error,
        // its process lived to tell: the crashes counted so far were a neighbour's, or the fault is not one that kills
        Crashes = 0,
        History = state.History.With(attempt),
    };

    private static DateTimeOffset Later(DateTimeOffset from, TimeSpan by) =>
        DateTimeOffset.MaxValue - from <= by ? DateTimeOffset.MaxValue : from + by;

    private static DateTimeOffset Earlier(DateTimeOffset? a, DateTimeOffset b) => a < b ? a.Value : b;

    private static TimeSpan Shorter(TimeSpan? a, TimeSpan? b) =>
        a is null ? b ?? TimeSpan.MaxValue : b is null || a < b ? a.Value : b.Value;
}
