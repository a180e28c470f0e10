using Retry.Messaging.Configuration;
using Retry.Messaging.Decisions;
using Retry.Messaging.MassTransit.Filters;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>Parks a message that an idempotent consumer must not run.</summary>
internal sealed class RefusedException(ParkReason reason, string message) : DecidedException(message)
{
    public override RetryDecision Decide(RetryState state, FailedAttempt failure, RetryRules rules, DateTimeOffset now) =>
        RetryDecider.Refuse(state, failure, reason, now);
}
