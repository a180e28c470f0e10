using Retry.Messaging.Decisions;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.RabbitMq.Attempts;

/// <summary>How an attempt ended, and the one thing that becomes of its message.</summary>
/// <param name="Exception">What was thrown; where a redelivery was asked for, what says so if there is none.</param>
/// <param name="Decision">What becomes of the message.</param>
/// <param name="Cause">Why it goes up the ladder, if it does.</param>
internal sealed record AttemptEnd(Exception Exception, RetryDecision Decision, ClimbCause Cause);
