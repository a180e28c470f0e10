using MassTransit.Scheduling;
using Retry.Messaging.Recurring;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>When a message recurs that the code of the service adds.</summary>
internal sealed class CodeSchedule(string id, string cron, RecurringOptions options) : RecurringSchedule
{
    public string TimeZoneId => options.TimeZone;

    public DateTimeOffset StartTime => options.First ?? DateTimeOffset.MinValue;

    public DateTimeOffset? EndTime => options.Last;

    public string ScheduleId => id;

    public string ScheduleGroup => options.Group;

    public string CronExpression => cron;

    public string Description => options.Description ?? string.Empty;

    public MissedEventPolicy MisfirePolicy => options.Missed == MissedSlots.Skip ? MissedEventPolicy.Skip : MissedEventPolicy.Send;

    /// <summary>Gets what MassTransit has no word for: each slot that was missed.</summary>
    public MissedSlots Missed => options.Missed;
}
