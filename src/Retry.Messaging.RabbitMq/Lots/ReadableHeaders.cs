using System.Collections;
using System.Text;
using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>Headers as people and JSON read them; on the wire all text is bytes.</summary>
internal static class ReadableHeaders
{
    // deeper than anybody nests, and shallow enough for any stack
    private const int MaxDepth = 16;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static IReadOnlyDictionary<string, object?> From(IDictionary<string, object?>? headers) =>
        headers is null ? new SortedDictionary<string, object?>() : Table(headers, 0);

    /// <summary>One header as a line of text, for filters and tables.</summary>
    public static string AsText(object? value) => Value(value, 0) switch
    {
        null => string.Empty,
        string text => text,
        DateTimeOffset time => time.ToString("O", System.Globalization.CultureInfo.InvariantCulture),
        IFormattable number => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        var other => System.Text.Json.JsonSerializer.Serialize(other),
    };

    private static SortedDictionary<string, object?> Table(IDictionary<string, object?> table, int depth)
    {
        var readable = new SortedDictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (name, value) in table)
        {
            readable[name] = Value(value, depth + 1);
        }

        return readable;
    }

    private static object? Value(object? value, int depth) => value switch
    {
        null => null,
        _ when depth > MaxDepth => "…",
        byte[] bytes => Text(bytes),
        AmqpTimestamp time => Time(time),
        BinaryTableValue binary => Text(binary.Bytes),
        IDictionary<string, object?> table => Table(table, depth),
        IList list => list.Cast<object?>().Select(item => Value(item, depth + 1)).ToList(),
        // JSON knows no infinity
        float number => float.IsFinite(number) ? number : number.ToString(System.Globalization.CultureInfo.InvariantCulture),
        double number => double.IsFinite(number) ? number : number.ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => value,
    };

    private static string Text(byte[]? bytes)
    {
        try
        {
            return Strict.GetString(bytes ?? []);
        }
        catch (DecoderFallbackException)
        {
            return "base64:" + Convert.ToBase64String(bytes!);
        }
    }

    private static object Time(AmqpTimestamp time) =>
        time.UnixTime >= 0 && time.UnixTime <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(time.UnixTime)
            : time.UnixTime;
}
