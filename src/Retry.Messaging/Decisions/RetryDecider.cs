using Retry.Messaging.Configuration;
using Retry.Messaging.State;
using Retry.Messaging.Ladder;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Policies;

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
public static class RetryDecider
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
        var outcome = rules.Classify(exception, failure.MessageType);
        if (outcome == Outcome.Ok)
        {
            return new RetryDecision.Done();
        }

        // a first failure in the future would prolong the validity: another clock wrote it, or a stranger
        var firstFailedAt = state.FirstFailedAt is { } first && first < now ? first : now;
        var deadline = Earlier(failure.MessageDeadline, Later(firstFailedAt, rules.ValidForMessage(failure.MessageType)));
        var policy = rules.PolicyFor(exception, failure.MessageType);
        if (outcome == Outcome.Fail)
        {
            return Park(ParkReason.Failed);
        }

        // the delay before is in the history, which is read for nobody else
        if (policy.NextDelay(state.Attempt, policy.Jitter == Jitter.Decorrelated ? state.PreviousDelay : null, random) is not { } drawn)
        {
            return Park(ParkReason.Exhausted);
        }

        var left = deadline - now;
        var delay = rules.RetryAfter(exception, failure.MessageType) is { } asked
            ? DelayLadder.RoundUp(asked)
            : policy.Jitter == Jitter.None
                ? DelayLadder.RoundUp(drawn)
                : DelayLadder.RoundUpToFewHops(drawn, Shorter(policy.Schedule.Cap, drawn <= left ? left : null));

        if (left <= TimeSpan.Zero || delay > left)
        {
            return failure.IsRequest && failure.MessageDeadline is not null
                ? new RetryDecision.Drop(Next(null))
                : Park(ParkReason.Expired);
        }

        var dueAt = now + delay;
        return new RetryDecision.Again(delay, dueAt, Next(dueAt));

        RetryDecision.Park Park(ParkReason reason) => new(reason, Next(null));

        RetryState Next(DateTimeOffset? due) => Failed(state, BoundedAttempt(state, policy), failure, now) with { DueAt = due, FirstFailedAt = firstFailedAt, Deadline = deadline };
    }

    /// <summary>Parks a message that no consumer took: it cannot be read, or nobody consumes its type. Trying again would change nothing.</summary>
    /// <param name="state">What the message knew when it was delivered.</param>
    /// <param name="failure">What happened.</param>
    /// <param name="reason">Why it is parked.</param>
    /// <param name="now">The current time.</param>
    public static RetryDecision.Park Refuse(RetryState state, FailedAttempt failure, ParkReason reason, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(failure);

        return new RetryDecision.Park(reason, Failed(state, state.Attempt, failure, now) with { FirstFailedAt = state.FirstFailedAt is { } first && first < now ? first : now });
    }

    /// <summary>Sends a message up the ladder because its consumer asked for it: an attempt like any other, but nothing failed.</summary>
    /// <remarks>It is written into the history, from which a delivery knows how long its delay was.</remarks>
    /// <param name="state">What the message knew when it was delivered.</param>
    /// <param name="fallbackId">The id to use for the chain when the message has none.</param>
    /// <param name="delay">The delay, rounded up to 100 ms.</param>
    /// <param name="host">The machine it happened on.</param>
    /// <param name="now">The current time.</param>
    public static RetryDecision.Again Redeliver(RetryState state, string fallbackId, TimeSpan delay, string host, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(fallbackId);

        var rounded = DelayLadder.RoundUp(delay);
        var dueAt = now + rounded;
        var attempt = new RetryAttempt(state.Attempt, now, host, "Redeliver", "its consumer asked for it");
        return new RetryDecision.Again(rounded, dueAt, Attempted(state, fallbackId, attempt, state.Error) with { DueAt = dueAt });
    }

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
        return Attempted(state, failure.FallbackId, attempt, HeaderText.OneLine(type + RetryHistory.ErrorSeparator + message, RetryState.MaxError));
    }

    private static RetryState Attempted(RetryState state, string fallbackId, RetryAttempt attempt, string? error) => state with
    {
        Id = state.Id ?? HeaderText.OneLine(fallbackId, RetryState.MaxId),
        Attempt = Math.Min(attempt.Number, int.MaxValue - 1) + 1,
        DueAt = null,
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
