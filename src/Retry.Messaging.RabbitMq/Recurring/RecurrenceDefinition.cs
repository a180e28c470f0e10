using Retry.Messaging.Recurring;

namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>What recurs and when, as the code of a service says: a whole document of the control log.</summary>
internal sealed record RecurrenceDefinition
{
    /// <summary>Gets the cron expression.</summary>
    public required string Cron { get; init; }

    /// <summary>Gets the zone that it is in; <see langword="null"/> for UTC.</summary>
    public string? TimeZone { get; init; }

    /// <summary>Gets the moment before which there is no slot; <see langword="null"/> for any.</summary>
    public DateTimeOffset? First { get; init; }

    /// <summary>Gets the moment after which there is no slot; <see langword="null"/> for any.</summary>
    public DateTimeOffset? Last { get; init; }

    /// <summary>Gets what becomes of slots that were missed.</summary>
    public MissedSlots Missed { get; init; }

    /// <summary>Gets what it is for, for people.</summary>
    public string? Description { get; init; }

    /// <summary>Gets the moment after which its slots count. A change of the message keeps it, a change of the times does not.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>Gets a value indicating whether it recurs no more. A document cannot be deleted.</summary>
    public bool Removed { get; init; }

    /// <summary>Gets the message; <see langword="null"/> where it recurs no more.</summary>
    public RecurringMessage? Message { get; init; }

    /// <summary>Its slots.</summary>
    /// <exception cref="FormatException">This machine cannot read the expression, or does not know the zone.</exception>
    public CronSlots Slots() => CronSlots.Parse(Cron, TimeZone, First, Last);

    /// <summary>Whether another has the same slots.</summary>
    public bool HasTimesOf(RecurrenceDefinition other) =>
        (Cron, TimeZone, First, Last) == (other.Cron, other.TimeZone, other.First, other.Last);
}
