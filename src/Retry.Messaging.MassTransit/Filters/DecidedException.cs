using Retry.Messaging.Configuration;
using Retry.Messaging.Decisions;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>Ends an attempt in a way that no policy is asked about.</summary>
internal abstract class DecidedException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Why its message goes up the ladder, if it does.</summary>
    public virtual ClimbCause Cause => ClimbCause.Failed(this);

    /// <summary>Decides.</summary>
    public abstract RetryDecision Decide(RetryState state, FailedAttempt failure, RetryRules rules, DateTimeOffset now);
}
