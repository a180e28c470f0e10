using System.Text.Json;
using System.Text.Json.Serialization;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>The three documents of a recurrence, as records of the control log. The key of each is the recurrence's name.</summary>
internal static class RecurrenceDocuments
{
    /// <summary>The kind of what recurs and when.</summary>
    public const string DefinitionKind = "retry.recurrence";

    /// <summary>The kind of what was said about it.</summary>
    public const string SettingKind = "retry.recurrence.setting";

    /// <summary>The kind of how far it has come.</summary>
    public const string ProgressKind = "retry.recurrence.progress";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Converters = { new JsonStringEnumConverter(), new HeaderValueConverter() },
    };

    /// <summary>Writes a document.</summary>
    public static ControlRecord Write<T>(string kind, string name, long version, T document, string by, DateTimeOffset at) =>
        new(kind, name, version, JsonSerializer.SerializeToUtf8Bytes(document, Json)) { By = by, At = at };

    /// <summary>Reads a document.</summary>
    /// <exception cref="JsonException">It makes no sense. That is never the same as "nothing is set".</exception>
    public static T Read<T>(ControlRecord record) =>
        JsonSerializer.Deserialize<T>(record.Body.Span, Json) ?? throw new JsonException($"The document '{record.Kind}' is null.");

    /// <summary>Whether two definitions say the same, whenever they were made.</summary>
    public static bool AreSame(RecurrenceDefinition one, RecurrenceDefinition other) =>
        WithoutTime(one).AsSpan().SequenceEqual(WithoutTime(other));

    private static byte[] WithoutTime(RecurrenceDefinition definition) => JsonSerializer.SerializeToUtf8Bytes(definition with { Since = default }, Json);

    // headers are texts, numbers and truth values; whatever else a sender put there becomes a text
    private sealed class HeaderValueConverter : JsonConverter<object>
    {
        public override object? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
        {
            JsonTokenType.String => reader.GetString(),
            JsonTokenType.Number => reader.TryGetInt64(out var number) ? number : reader.GetDouble(),
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            _ => throw new JsonException("Found a header that is no text, number or truth value."),
        };

        public override void Write(Utf8JsonWriter writer, object value, JsonSerializerOptions options)
        {
            switch (value)
            {
                case bool truth:
                    writer.WriteBooleanValue(truth);
                    break;
                case double or float or decimal:
                    writer.WriteNumberValue(Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture));
                    break;
                case byte or sbyte or short or ushort or int or uint or long:
                    writer.WriteNumberValue(Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture));
                    break;
                case byte[] bytes:
                    writer.WriteStringValue(bytes);
                    break;
                default:
                    writer.WriteStringValue(Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture));
                    break;
            }
        }
    }
}
