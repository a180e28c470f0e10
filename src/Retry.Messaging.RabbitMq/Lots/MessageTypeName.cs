using System.Text.Json;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>Finds the type of a message in its headers or in MassTransit's envelope.</summary>
internal static class MessageTypeName
{
    private const string Urn = "urn:message:";
    private const int MaxLength = 200;

    public static string? Of(IDictionary<string, object?>? headers, string? typeProperty, ReadOnlySpan<byte> body)
    {
        var name = headers is null ? null : RetryHeaderReader.Text(headers, MassTransitHeaderNames.FaultedMessageType) ?? FirstOf(RetryHeaderReader.Text(
            headers,
            MassTransitHeaderNames.RawMessageType));
        name ??= FromEnvelope(body) ?? typeProperty;
        return string.IsNullOrEmpty(name) ? null : HeaderText.OneLine(Readable(name), MaxLength);
    }

    private static string? FirstOf(string? list) => list?.Split(';')[0];

    private static string? FromEnvelope(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty || body[0] != (byte)'{')
        {
            return null;
        }

        try
        {
            var reader = new Utf8JsonReader(body);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var found = reader.ValueTextEquals("messageType"u8);
                reader.Read();
                if (found)
                {
                    return reader.TokenType == JsonTokenType.StartArray && reader.Read()
                        && reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                }

                reader.Skip();
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // parked as Malformed, perhaps: a broken body has no type, and no more than that
        }

        return null;
    }

    // urn:message:Shop.Payments:ChargeCard is how MassTransit spells Shop.Payments.ChargeCard
    private static string Readable(string name) =>
        name.StartsWith(Urn, StringComparison.Ordinal) ? name[Urn.Length..].Replace(':', '.') : name;
}
