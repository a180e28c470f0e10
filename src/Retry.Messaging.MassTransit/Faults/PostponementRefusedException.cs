using Retry.Messaging.Configuration;

namespace Retry.Messaging.MassTransit;

/// <summary>What the Fault of a message says whose consumer said <c>context.Postpone(delay)</c> until its validity was over.</summary>
/// <remarks>It is not thrown: the message is parked as Expired.</remarks>
public sealed class PostponementRefusedException : Exception
{
    internal PostponementRefusedException(string queue, TimeSpan delay, RetryRules rules)
        : base($"The consumer of queue '{queue}' postponed the message by {DurationText.Format(delay)}, but its time is over by then. It counts from the first failure or postponement: {rules}.")
    {
    }
}
