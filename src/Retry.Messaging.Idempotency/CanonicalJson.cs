using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;

namespace Retry.Messaging.Idempotency;

/// <summary>Writes JSON so that two senders who mean the same write the same.</summary>
/// <remarks>Members are sorted by name, white space and escapes are of one kind, 1.0 is 1, and a member that is null is one that is not there.</remarks>
internal static class CanonicalJson
{
    /// <summary>The hash of a value: SHA-256 of its canonical form, in hexadecimal.</summary>
    public static string Hash(JsonElement value)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            Write(value, writer);
        }

        return Convert.ToHexStringLower(SHA256.HashData(bytes.WrittenSpan));
    }

    private static void Write(JsonElement value, Utf8JsonWriter writer)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject()
                    .Where(member => member.Value.ValueKind != JsonValueKind.Null)
                    .OrderBy(member => member.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(member.Name);
                    Write(member.Value, writer);
                }

                writer.WriteEndObject();
                break;

            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Write(item, writer);
                }

                writer.WriteEndArray();
                break;

            case JsonValueKind.Number when value.TryGetDecimal(out var number):
                // divided by one with all its decimal places, a decimal loses the zeros at its end
                writer.WriteNumberValue(number / 1.0000000000000000000000000000m);
                break;

            case JsonValueKind.String:
                writer.WriteStringValue(value.GetString());
                break;

            default:
                value.WriteTo(writer);
                break;
        }
    }
}
