using Retry.Messaging.Operations.Schedules;

namespace Retry.Messaging.Cli.Commands.Schedule;

/// <summary>What is scheduled, as JSON shows it.</summary>
internal sealed record ScheduleListDocument(
    DateTimeOffset At,
    IReadOnlyList<RecurrenceDocument> Recurring,
    bool Indexed,
    long? Waiting,
    long? Cancelled,
    IReadOnlyList<ScheduledDocument> Scheduled,
    IReadOnlyList<ScheduledHour> ByHour)
{
    public static ScheduleListDocument Of(ScheduleOverview overview) => new(
        overview.At,
        [.. overview.Recurrences.Select(one => RecurrenceDocument.Of(one, overview.At))],
        overview.IsIndexed,
        overview.IsIndexed ? overview.Waiting : null,
        overview.IsIndexed ? overview.Cancelled : null,
        [.. overview.Next.Select(ScheduledDocument.Of)],
        [.. overview.ByHour.Select(hour => new ScheduledHour(hour.Key, hour.Value))]);
}

/// <summary>How many messages are due in an hour.</summary>
internal sealed record ScheduledHour(DateTimeOffset From, long Count);
