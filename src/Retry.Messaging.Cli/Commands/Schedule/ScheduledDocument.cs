using Retry.Messaging.Operations.Schedules;

namespace Retry.Messaging.Cli.Commands.Schedule;

/// <summary>One scheduled message, as JSON shows it.</summary>
internal sealed record ScheduledDocument(
    DateTimeOffset DueAt,
    string Exchange,
    string? RoutingKey,
    string? MessageId,
    string? Token,
    string? MessageType,
    string? By,
    bool Cancelled)
{
    public static ScheduledDocument Of(ScheduledMessage message)
    {
        var notice = message.Notice;
        return new(
            DateTimeOffset.FromUnixTimeMilliseconds(notice.Due),
            notice.Exchange,
            notice.Key,
            notice.Id,
            notice.Token,
            notice.Type,
            notice.By,
            message.IsCancelled);
    }
}
