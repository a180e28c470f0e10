using Retry.Messaging.RabbitMq.Recurring;

namespace Retry.Messaging.Operations.Schedules;

/// <summary>What is known of a recurrence.</summary>
/// <param name="State">What the control log says.</param>
/// <param name="Next">When it is due next; <see langword="null"/> where it is paused, at its end or unreadable.</param>
internal sealed record RecurrenceSummary(RecurrenceState State, DateTimeOffset? Next)
{
    /// <summary>Sums it up.</summary>
    public static RecurrenceSummary Of(RecurrenceState state, DateTimeOffset now) =>
        new(state, state.Setting.Paused || state.WhyUnreadable is not null ? null : state.Slots?.After(state.DecidedUpTo > now ? state.DecidedUpTo : now));

    /// <summary>The next slots, whether it is paused or not.</summary>
    public IReadOnlyList<DateTimeOffset> NextSlots(int count, DateTimeOffset now)
    {
        var slots = new List<DateTimeOffset>();
        for (var slot = State.Slots?.After(now); slot is { } next && slots.Count < count; slot = State.Slots!.After(next))
        {
            slots.Add(next);
        }

        return slots;
    }
}
