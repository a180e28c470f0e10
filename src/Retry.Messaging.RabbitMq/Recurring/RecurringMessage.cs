using System.Text.Json.Serialization;
using RabbitMQ.Client;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>The message that recurs, as it would be published, and where it goes.</summary>
internal sealed record RecurringMessage
{
    /// <summary>Gets where it goes, and what is taken off it while it is on its way to the dispatcher.</summary>
    public required KeptProperties Kept { get; init; }

    public string? ContentType { get; init; }

    public string? ContentEncoding { get; init; }

    public string? CorrelationId { get; init; }

    public string? ReplyTo { get; init; }

    public string? Type { get; init; }

    public string? AppId { get; init; }

    public bool Persistent { get; init; }

    /// <summary>Gets the headers: texts, numbers and truth values.</summary>
    public IReadOnlyDictionary<string, object?> Headers { get; init; } = new Dictionary<string, object?>();

    /// <summary>Gets the bytes.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Gets the type of the message, for people.</summary>
    [JsonIgnore]
    public string? Label => Headers.TryGetValue(MassTransitHeaderNames.RawMessageType, out var types) ? types?.ToString() : Type;

    /// <summary>Takes over what a sender made.</summary>
    /// <param name="kept">Where it goes, and what was taken off it.</param>
    /// <param name="properties">Its properties.</param>
    /// <param name="body">Its bytes.</param>
    public static RecurringMessage Of(KeptProperties kept, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body) => new()
    {
        Kept = kept,
        ContentType = properties.ContentType,
        ContentEncoding = properties.ContentEncoding,
        CorrelationId = properties.CorrelationId,
        ReplyTo = properties.ReplyTo,
        Type = properties.Type,
        AppId = properties.AppId,
        Persistent = properties.Persistent,
        Headers = properties.Headers?.ToDictionary(StringComparer.Ordinal) ?? [],
        Body = body,
    };

    /// <summary>The properties of a copy with an id of its own.</summary>
    public BasicProperties Properties(Guid id)
    {
        var properties = new BasicProperties { MessageId = id.ToString(), Persistent = Persistent, Headers = new Dictionary<string, object?>(Headers) };
        properties.ContentType = ContentType;
        properties.ContentEncoding = ContentEncoding;
        properties.CorrelationId = CorrelationId;
        properties.ReplyTo = ReplyTo;
        properties.Type = Type;
        properties.AppId = AppId;
        return properties;
    }
}
