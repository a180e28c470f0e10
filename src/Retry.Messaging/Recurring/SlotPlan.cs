namespace Retry.Messaging.Recurring;

/// <summary>What is to be done now about the slots of one recurring message. Pure.</summary>
/// <param name="Due">The slots to send, in order.</param>
/// <param name="DecidedUpTo">All slots up to here are decided, whether they are sent or not.</param>
/// <param name="Next">When the next decision is due; <see langword="null"/> where there is no further slot.</param>
internal sealed record SlotPlan(IReadOnlyList<DateTimeOffset> Due, DateTimeOffset DecidedUpTo, DateTimeOffset? Next)
{
    /// <summary>How late a slot may be before it counts as missed. Another scheduler has taken over long before.</summary>
    public static readonly TimeSpan MissedAfter = TimeSpan.FromMinutes(1);

    /// <summary>How many slots are decided at once. They are recorded together, so a kill in between repeats as many at most.</summary>
    public const int MostAtOnce = 100;

    /// <summary>Decides.</summary>
    /// <param name="slots">When it recurs.</param>
    /// <param name="missed">What becomes of slots that were missed.</param>
    /// <param name="decidedUpTo">Up to where slots have been decided.</param>
    /// <param name="now">The current time.</param>
    public static SlotPlan Decide(CronSlots slots, MissedSlots missed, DateTimeOffset decidedUpTo, DateTimeOffset now)
    {
        var border = now - MissedAfter;
        if (missed != MissedSlots.All && border > decidedUpTo)
        {
            // a long rest is passed over, and not counted through
            var last = missed == MissedSlots.Once ? slots.UpTo(border, decidedUpTo) : null;
            decidedUpTo = last?.AddTicks(-1) ?? border;
        }

        var due = new List<DateTimeOffset>();
        var next = slots.After(decidedUpTo);
        while (next <= now && due.Count < MostAtOnce)
        {
            due.Add(next.Value);
            next = slots.After(next.Value);
        }

        return new SlotPlan(due, due.Count > 0 ? due[^1] : decidedUpTo, next);
    }
}
