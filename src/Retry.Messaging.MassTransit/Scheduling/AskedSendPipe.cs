using System.Globalization;
using MassTransit;
using MassTransit.Scheduling;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>Sets the delay of a scheduled send as MassTransit does, and says when it is due: an outbox keeps the delay, but not since when.</summary>
internal sealed class AskedSendPipe<T>(IPipe<SendContext<T>> pipe, DateTime scheduledTime, DateTimeOffset due) : ScheduleSendPipe<T>(pipe, scheduledTime)
    where T : class
{
    protected override void Send(SendContext<T> context)
    {
        base.Send(context);
        if (context.Delay is { } delay)
        {
            context.Headers.Set(RetryHeaderNames.Asked, string.Create(CultureInfo.InvariantCulture, $"{due.UtcTicks} {delay.Ticks}"));
        }
    }
}
