using Retry.Messaging.Decisions;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>What becomes of the messages of a retry point whose attempts ended with an exception, or with what their consumers said.</summary>
internal sealed class AttemptDecisions(RetryPoint point, TimeProvider time, Random random)
{
    // asked of the operating system anew each time
    private static readonly string Host = Environment.MachineName;

    /// <summary>Decides on what was thrown.</summary>
    public RetryDecision Of(AttemptContext attempt, Exception exception)
    {
        var state = attempt.Delivery.State;
        var failure = FailureOf(attempt, exception);
        var now = time.GetUtcNow();
        return exception is DecidedException decided ? decided.Decide(state, failure, point.Rules, now)
            : attempt.IsUnreadable(exception) ? RetryDecider.Refuse(state, failure, ParkReason.Malformed, now)
            : RetryDecider.Decide(state, failure, point.Rules, now, random);
    }

    /// <summary>Decides on what was said.</summary>
    public AttemptEnd Of(AttemptContext attempt, SaidOutcome said)
    {
        Exception exception = said switch
        {
            SaidOutcome.Fail fail => new FailSaidException(fail.Reason),
            SaidOutcome.Error error => new ErrorSaidException(error.Reason),
            SaidOutcome.Postpone postpone => new PostponementRefusedException(point.Queue, postpone.Delay, point.Rules),
            SaidOutcome.Redeliver redeliver => new RedeliveryRefusedException(point.Queue, redeliver.Delay, point.Rules),
            _ => throw new ArgumentOutOfRangeException(nameof(said)),
        };
        var state = attempt.Delivery.State;
        var ended = FailureOf(attempt, exception);
        var now = time.GetUtcNow();
        return said switch
        {
            SaidOutcome.Postpone postpone => new AttemptEnd(
                exception,
                RetryDecider.Postpone(state, ended, postpone.Delay, point.Rules, now),
                ClimbCause.Postponed),
            SaidOutcome.Redeliver redeliver => new AttemptEnd(
                exception,
                RetryDecider.Redeliver(state, ended, redeliver.Delay, point.Rules, now, random),
                ClimbCause.Asked),
            _ => new AttemptEnd(
                exception,
                RetryDecider.Decide(
                    state,
                    ended with { Said = said is SaidOutcome.Fail ? Outcome.Fail : Outcome.Error, RetryAfter = (said as SaidOutcome.Error)?.RetryAfter },
                    point.Rules,
                    now,
                    random),
                ClimbCause.Failed(exception)),
        };
    }

    /// <summary>Decides on a run that tried an ill target, and failed: it uses no attempt, and comes back later.</summary>
    public AttemptEnd Probed(AttemptContext attempt, AttemptEnd failed, TimeSpan delay)
    {
        var state = attempt.Delivery.State;
        return new AttemptEnd(
            failed.Exception,
            RetryDecider.Postpone(state with { Probes = state.Probes + 1 }, FailureOf(attempt, failed.Exception), delay, point.Rules, time.GetUtcNow()),
            ClimbCause.Postponed);
    }

    private static FailedAttempt FailureOf(AttemptContext attempt, Exception exception) => new(exception, Host)
    {
        MessageType = attempt.MessageType,
        FallbackId = attempt.Delivery.FallbackId,
        MessageDeadline = attempt.Delivery.Deadline,
        IsRequest = attempt.IsRequest,
    };
}
