using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using RabbitMQ.Client;

namespace Retry.Messaging.Operations.Parking;

/// <summary>Header values as JSON and back, byte for byte: text and truth values stand for themselves, every other value with its type.</summary>
/// <remarks>For example <c>"acme"</c>, <c>true</c>, <c>{"int":3}</c>, <c>{"base64":"/wA="}</c>. On the wire all text is bytes.</remarks>
internal static class HeaderJson
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // by name: how it is read, and how it is written
    private static readonly (string Name, Type Type, Func<string, object> Parse)[] Numbers =
    [
        ("int", typeof(int), static text => int.Parse(text, CultureInfo.InvariantCulture)),
        ("long", typeof(long), static text => long.Parse(text, CultureInfo.InvariantCulture)),
        ("short", typeof(short), static text => short.Parse(text, CultureInfo.InvariantCulture)),
        ("sbyte", typeof(sbyte), static text => sbyte.Parse(text, CultureInfo.InvariantCulture)),
        ("byte", typeof(byte), static text => byte.Parse(text, CultureInfo.InvariantCulture)),
        ("ushort", typeof(ushort), static text => ushort.Parse(text, CultureInfo.InvariantCulture)),
        ("uint", typeof(uint), static text => uint.Parse(text, CultureInfo.InvariantCulture)),
        ("double", typeof(double), static text => double.Parse(text, CultureInfo.InvariantCulture)),
        ("float", typeof(float), static text => float.Parse(text, CultureInfo.InvariantCulture)),
        ("decimal", typeof(decimal), static text => decimal.Parse(text, CultureInfo.InvariantCulture)),
    ];

    /// <summary>Writes a table, sorted: on its way a broker may change the order.</summary>
    public static JsonObject Table(IDictionary<string, object?>? table)
    {
        var json = new JsonObject();
        foreach (var (name, value) in (table ?? new Dictionary<string, object?>()).OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            json[name] = Write(value);
        }

        return json;
    }

    /// <summary>Reads a table.</summary>
    /// <exception cref="FormatException">A value is none that a header can have.</exception>
    public static Dictionary<string, object?> Table(JsonObject json) => json.ToDictionary(entry => entry.Key, entry => Read(entry.Value), StringComparer.Ordinal);

    private static JsonNode? Write(object? value) => value switch
    {
        null => null,
        bool truth => truth,
        string text => text,
        byte[] bytes => Text(bytes) is { } text ? text : Typed("base64", Convert.ToBase64String(bytes)),
        BinaryTableValue binary => Typed("binary", Convert.ToBase64String(binary.Bytes)),
        AmqpTimestamp time => Typed("time", time.UnixTime.ToString(CultureInfo.InvariantCulture)),
        IDictionary<string, object?> table => Typed("table", Table(table)),
        IList list => new JsonArray([.. list.Cast<object?>().Select(Write)]),
        IFormattable number => Typed(Numbers.First(known => known.Type == number.GetType()).Name, number.ToString(null, CultureInfo.InvariantCulture)),
        _ => throw new FormatException($"Found a header of type {value.GetType()}, which no message has."),
    };

    private static object? Read(JsonNode? json) => json switch
    {
        null => null,
        JsonArray list => list.Select(Read).ToList(),
        JsonObject { Count: 1 } typed => Read(typed.First().Key, typed.First().Value),
        JsonValue value when value.TryGetValue<bool>(out var truth) => truth,
        JsonValue value when value.TryGetValue<string>(out var text) => Encoding.UTF8.GetBytes(text),
        _ => throw new FormatException($"found the header value {json.ToJsonString()}, wanted text, true or false, a list, or one value with its type such as {{\"int\":\"3\"}}"),
    };

    private static object Read(string type, JsonNode? value) => (type, value) switch
    {
        ("table", JsonObject table) => Table(table),
        ("base64", JsonValue bytes) => Convert.FromBase64String(bytes.GetValue<string>()),
        ("binary", JsonValue bytes) => new BinaryTableValue(Convert.FromBase64String(bytes.GetValue<string>())),
        ("time", JsonValue seconds) => new AmqpTimestamp(long.Parse(seconds.GetValue<string>(), CultureInfo.InvariantCulture)),
        (_, JsonValue number) when Numbers.FirstOrDefault(known => known.Name == type) is { Parse: { } parse } => parse(number.GetValue<string>()),
        _ => throw new FormatException($"found a header value of type '{type}', wanted one of {string.Join(", ", Numbers.Select(known => known.Name))}, time, table, base64, binary"),
    };

    private static JsonObject Typed(string type, JsonNode? value) => new() { [type] = value };

    private static string? Text(byte[] bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
