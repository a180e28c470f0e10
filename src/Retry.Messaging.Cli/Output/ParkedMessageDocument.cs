using System.Text.Json;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Cli.Output;

/// <summary>A parked message as JSON shows it. A body that is JSON is part of the document; any other is base64.</summary>
internal sealed record ParkedMessageDocument(
    string Id,
    string Queue,
    ParkReason Reason,
    string? BrokerReason,
    int Attempts,
    DateTimeOffset? FirstFailedAt,
    DateTimeOffset? ParkedAt,
    string? Error,
    string? ExceptionType,
    string? MessageType,
    string? Tenant,
    string? MessageId,
    string? ContentType,
    int Size,
    int Replayed,
    string? Plan,
    IReadOnlyList<RetryAttempt> History,
    IReadOnlyDictionary<string, object?> Headers,
    JsonElement? Body,
    string? BodyBase64)
{
    public static ParkedMessageDocument From(ParkedMessage message)
    {
        var json = message.Body is { } body ? JsonOutput.TryParse(body) : null;
        return new ParkedMessageDocument(
            message.Id,
            message.WorkQueue,
            message.Reason,
            message.BrokerReason,
            message.Attempts,
            message.FirstFailedAt,
            message.ParkedAt,
            message.Error,
            message.ExceptionType,
            message.MessageType,
            message.Tenant,
            message.MessageId,
            message.ContentType,
            message.Size,
            message.Replayed,
            message.Plan,
            message.History,
            message.Headers,
            json,
            json is null && message.Body is { } raw ? Convert.ToBase64String(raw.Span) : null);
    }
}
