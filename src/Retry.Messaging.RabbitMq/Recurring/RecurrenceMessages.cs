using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Scheduling;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>Builds the message of a slot: a scheduled message that is due, for the dispatcher. Pure.</summary>
internal static class RecurrenceMessages
{
    // Consumers that came from Quartz read these; it is what MassTransit's integration with it writes.
    private const string QuartzId = "MT-Quartz-ScheduleId";
    private const string QuartzGroup = "MT-Quartz-ScheduleGroup";
    private const string QuartzScheduled = "MT-Quartz-Scheduled";
    private const string ConversationId = "ConversationId";

    /// <summary>Builds one.</summary>
    /// <param name="recurrence">The recurrence's name.</param>
    /// <param name="template">The message that recurs.</param>
    /// <param name="message">The slot.</param>
    /// <param name="mayBeCopy">Whether somebody else may have sent it already.</param>
    /// <param name="now">The current time.</param>
    public static OutcomeMessage Build(string recurrence, RecurringMessage template, RecurrenceMessage message, bool mayBeCopy, DateTimeOffset now)
    {
        var (group, id) = RecurrenceName.Split(recurrence);
        var headers = new Dictionary<string, object?>
        {
            [RetryHeaderNames.Recurrence] = recurrence,
            [RetryHeaderNames.Slot] = message.DueAt.ToUnixTimeMilliseconds(),
            [QuartzId] = id,
            [QuartzGroup] = group,
            [QuartzScheduled] = message.DueAt.UtcDateTime.ToString("O", System.Globalization.CultureInfo.InvariantCulture),
        };
        var properties = template.Properties(message.Id);
        foreach (var (name, value) in headers)
        {
            properties.Headers![name] = value;
        }

        properties.Headers![ConversationId] = message.Id.ToString();
        var climb = ScheduleClimb.Begin(new ScheduleState { DueAt = message.DueAt, Kept = template.Kept, Repeated = mayBeCopy ? 1 : 0 }, now);
        properties.Headers[RetryHeaderNames.Schedule] = climb.Header;
        return new(
            climb.Route.Exchange,
            climb.Route.RoutingKey,
            properties,
            EnvelopeStamp.Write(template.ContentType, template.Body, message.Id, now, headers));
    }
}
