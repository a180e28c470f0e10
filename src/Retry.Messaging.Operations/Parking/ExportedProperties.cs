using System.Text.Json;
using System.Text.Json.Nodes;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.Operations.Parking;

/// <summary>The properties of an exported message; those that it does not have are left out.</summary>
internal sealed record ExportedProperties
{
    public string? ContentType { get; init; }

    public string? ContentEncoding { get; init; }

    public byte? DeliveryMode { get; init; }

    public byte? Priority { get; init; }

    public string? CorrelationId { get; init; }

    public string? ReplyTo { get; init; }

    public string? Expiration { get; init; }

    public string? MessageId { get; init; }

    public long? Timestamp { get; init; }

    public string? Type { get; init; }

    public string? AppId { get; init; }

    public string? ClusterId { get; init; }

    public JsonElement? Headers { get; init; }

    /// <summary>Of a message in a lot: what the broker added at its delivery is left out.</summary>
    public static ExportedProperties Of(IReadOnlyBasicProperties original)
    {
        var properties = Republication.InPlace(original);
        return new()
        {
            ContentType = properties.ContentType,
            ContentEncoding = properties.ContentEncoding,
            DeliveryMode = properties.IsDeliveryModePresent() ? (byte)properties.DeliveryMode : null,
            Priority = properties.IsPriorityPresent() ? properties.Priority : null,
            CorrelationId = properties.CorrelationId,
            ReplyTo = properties.ReplyTo,
            Expiration = properties.Expiration,
            MessageId = properties.MessageId,
            Timestamp = properties.IsTimestampPresent() ? properties.Timestamp.UnixTime : null,
            Type = properties.Type,
            AppId = properties.AppId,
            ClusterId = properties.ClusterId,
            Headers = properties.Headers is { Count: > 0 } headers ? JsonSerializer.SerializeToElement(HeaderJson.Table(headers)) : null,
        };
    }

    /// <summary>The properties of the message that is put back.</summary>
    /// <exception cref="FormatException">A header has a value that none can have.</exception>
    public BasicProperties ToProperties()
    {
        var properties = new BasicProperties
        {
            ContentType = ContentType,
            ContentEncoding = ContentEncoding,
            CorrelationId = CorrelationId,
            ReplyTo = ReplyTo,
            Expiration = Expiration,
            MessageId = MessageId,
            Type = Type,
            AppId = AppId,
            ClusterId = ClusterId,
            Headers = Headers is { } headers
                ? HeaderJson.Table(JsonObject.Create(headers) ?? throw new FormatException("found headers that are no object"))
                : null,
        };
        if (DeliveryMode is { } mode)
        {
            properties.DeliveryMode = (DeliveryModes)mode;
        }

        if (Priority is { } priority)
        {
            properties.Priority = priority;
        }

        if (Timestamp is { } timestamp)
        {
            properties.Timestamp = new AmqpTimestamp(timestamp);
        }

        return properties;
    }
}
