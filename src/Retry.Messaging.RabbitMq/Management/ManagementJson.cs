using System.Text.Json;

namespace Retry.Messaging.RabbitMq.Management;

/// <summary>Reads what the management API writes. Versions differ in how they write what is absent.</summary>
internal static class ManagementJson
{
    /// <summary>The items of a list; none where it is not one.</summary>
    public static JsonElement.ArrayEnumerator Items(this JsonElement json) => json.ValueKind == JsonValueKind.Array ? json.EnumerateArray() : default;

    /// <summary>A text, which the API writes as "", null or not at all when it is absent.</summary>
    public static string? Text(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            && value.GetString() is { } text && (text.Length > 0 || name is "routing_key" or "source")
            ? text
            : null;

    /// <summary>A count; zero where the API has none yet, as for a queue that was declared a moment ago.</summary>
    public static long Number(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : 0;

    /// <summary>Whether a flag is there and set.</summary>
    public static bool Flag(this JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    /// <summary>A list of texts.</summary>
    public static IReadOnlyList<string> Texts(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? [.. value.Items().Select(item => item.GetString()).OfType<string>()] : [];

    /// <summary>A table; an empty one comes as [] from 3.10.</summary>
    public static Dictionary<string, object?> Table(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object
            ? value.EnumerateObject().ToDictionary(item => item.Name, item => Value(item.Value), StringComparer.Ordinal)
            : [];

    private static object? Value(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Number when json.TryGetInt64(out var number) => number,
        JsonValueKind.Number => json.GetDouble(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Null => null,
        _ => json.GetRawText(),
    };
}
