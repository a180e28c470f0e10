using System.Text.Json;
using System.Text.Json.Nodes;

namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>What MassTransit's envelope says of one message: taken off when a recurring message is recorded, and written anew for each slot. Pure.</summary>
/// <remarks>A body that is no such envelope stays as it is.</remarks>
internal static class EnvelopeStamp
{
    private const string MassTransitJson = "application/vnd.masstransit+json";
    private const string MessageId = "messageId";
    private const string ConversationId = "conversationId";
    private const string SentTime = "sentTime";
    private const string Headers = "headers";

    // of the call that recorded it, and not of what is sent hours later by somebody else
    private static readonly string[] OfTheCall = [MessageId, ConversationId, "initiatorId", SentTime, "host"];

    /// <summary>Takes off what is said of one message only, so that the same recurrence has the same bytes on each instance and after each start.</summary>
    public static ReadOnlyMemory<byte> TakeOff(string? contentType, ReadOnlyMemory<byte> body) => Change(contentType, body, envelope =>
    {
        foreach (var name in OfTheCall)
        {
            envelope.Remove(name);
        }
    });

    /// <summary>Writes it for one message.</summary>
    /// <param name="contentType">The message's content type.</param>
    /// <param name="body">Its bytes.</param>
    /// <param name="id">Its id; it begins a conversation of its own.</param>
    /// <param name="sentAt">When it is sent.</param>
    /// <param name="headers">Headers for consumers, which read them from the envelope.</param>
    public static ReadOnlyMemory<byte> Write(
        string? contentType,
        ReadOnlyMemory<byte> body,
        Guid id,
        DateTimeOffset sentAt,
        IReadOnlyDictionary<string, object?> headers) =>
        Change(contentType, body, envelope =>
        {
            envelope[MessageId] = id.ToString();
            envelope[ConversationId] = id.ToString();
            envelope[SentTime] = sentAt.UtcDateTime;
            if (envelope[Headers] is not JsonObject inside)
            {
                envelope[Headers] = inside = [];
            }

            foreach (var (name, value) in headers)
            {
                inside[name] = JsonValue.Create(value);
            }
        });

    private static ReadOnlyMemory<byte> Change(string? contentType, ReadOnlyMemory<byte> body, Action<JsonObject> change)
    {
        if (contentType?.StartsWith(MassTransitJson, StringComparison.OrdinalIgnoreCase) != true)
        {
            return body;
        }

        try
        {
            if (JsonNode.Parse(body.Span) is not JsonObject envelope)
            {
                return body;
            }

            change(envelope);
            return JsonSerializer.SerializeToUtf8Bytes(envelope);
        }
        catch (JsonException)
        {
            return body;
        }
    }
}
