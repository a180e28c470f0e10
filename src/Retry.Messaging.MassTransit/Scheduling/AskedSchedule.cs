using System.Globalization;
using MassTransit;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>What a send with a delay says of its schedule.</summary>
/// <param name="Due">When it is due.</param>
/// <param name="Token">By what it can be cancelled; <see langword="null"/> where nobody was told.</param>
/// <param name="AskedAt">When it was scheduled; only where the token is a caller's own.</param>
internal readonly record struct AskedSchedule(DateTimeOffset Due, Guid? Token, DateTimeOffset? AskedAt)
{
    /// <summary>Takes it from a send.</summary>
    /// <remarks>
    /// The header counts only with the very delay that it was written with. A message that is redelivered or forwarded has the headers of the
    /// one before, and another delay: it is due from now, and the old token is not its own.
    /// </remarks>
    public static AskedSchedule Take(SendContext context, DateTimeOffset now)
    {
        var delay = context.Delay!.Value;
        if (!context.Headers.TryGetHeader(RetryHeaderNames.Asked, out var value))
        {
            return new(From(now, delay), null, null);
        }

        context.Headers.Set(RetryHeaderNames.Asked, null);
        if (value is not string text
            || text.Split(' ') is not [var dueText, var delayText]
            || !long.TryParse(delayText, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            || ticks != delay.Ticks
            || !long.TryParse(dueText, NumberStyles.None, CultureInfo.InvariantCulture, out var dueTicks)
            || dueTicks > DateTimeOffset.MaxValue.UtcTicks)
        {
            return new(From(now, delay), null, null);
        }

        var due = new DateTimeOffset(dueTicks, TimeSpan.Zero);
        return context.Headers.Get<Guid>(MessageHeaders.SchedulingTokenId) is { } token
            ? new(due, token, ScheduleToken.DueOf(token) is null ? due - delay : null)
            : new(due, null, null);
    }

    private static DateTimeOffset From(DateTimeOffset now, TimeSpan delay) => delay < DateTimeOffset.MaxValue - now ? now + delay : DateTimeOffset.MaxValue;
}
