using Retry.Messaging.Configuration;

namespace Retry.Messaging.MassTransit;

/// <summary>What the Fault of a message says whose consumer asked for another attempt by <c>Redeliver</c> when its policy allowed none.</summary>
/// <remarks>It is not thrown: the message is parked, as after a failure in its last attempt.</remarks>
public sealed class RedeliveryRefusedException : Exception
{
    internal RedeliveryRefusedException(string queue, TimeSpan delay, RetryRules rules)
        : base($"The consumer of queue '{queue}' asked for redelivery in {DurationText.Format(delay)}, but the policy allows no further attempt: {rules}.")
    {
    }
}
