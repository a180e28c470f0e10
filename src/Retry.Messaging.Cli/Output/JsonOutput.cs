using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Retry.Messaging.Outcomes;

namespace Retry.Messaging.Cli.Output;

/// <summary>JSON for scripts: camelCase names, one document on one line.</summary>
internal static class JsonOutput
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new ParkReasonConverter() },
    };

    private static readonly JsonSerializerOptions Readable = new(Options) { WriteIndented = true, NewLine = "\n" };

    public static void WriteLine(TextWriter writer, object document) => writer.WriteLine(JsonSerializer.Serialize(document, Options));

    /// <summary>Indents a body, if it is JSON.</summary>
    public static string? TryIndent(ReadOnlyMemory<byte> body) =>
        TryParse(body) is { } document ? JsonSerializer.Serialize(document, Readable) : null;

    /// <summary>Reads a body, if it is JSON.</summary>
    public static JsonElement? TryParse(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed class ParkReasonConverter : JsonConverter<ParkReason>
    {
        public override ParkReason Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => ParkReason.Parse(reader.GetString());

        public override void Write(Utf8JsonWriter writer, ParkReason value, JsonSerializerOptions options) => writer.WriteStringValue(value.Name);
    }
}
