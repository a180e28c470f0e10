using MassTransit;
using Retry.Messaging.State;

namespace Retry.Messaging.MassTransit.Faults;

/// <summary>What every Fault of ours says in MassTransit's own headers.</summary>
internal static class FaultedMessageHeaders
{
    /// <summary>The redeliveries before the last attempt; the parked state already names the attempt after it.</summary>
    public static void SetRedeliveryCount(SendContext send, RetryState parked)
    {
        if (parked.Attempt > 2)
        {
            send.Headers.Set(MessageHeaders.FaultRedeliveryCount, parked.Attempt - 2);
        }
    }
}
