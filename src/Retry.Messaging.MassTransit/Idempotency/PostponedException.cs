using Retry.Messaging.Configuration;
using Retry.Messaging.Decisions;
using Retry.Messaging.MassTransit.Filters;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>Sends a delivery back for a while, because a message with its key is in progress elsewhere. No attempt is used.</summary>
internal sealed class PostponedException(string key, TimeSpan delay)
    : DecidedException($"A message with the key '{key}' is in progress elsewhere. This one comes back in {DurationText.Format(delay)}, because it may be a duplicate.")
{
    public override ClimbCause Cause => ClimbCause.Postponed;

    public override RetryDecision Decide(RetryState state, FailedAttempt failure, RetryRules rules, DateTimeOffset now) =>
        RetryDecider.Postpone(state, failure, delay, rules, now);
}
