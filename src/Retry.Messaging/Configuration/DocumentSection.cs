using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace Retry.Messaging.Configuration;

/// <summary>A JSON document as a section of configuration, so that it is read as appsettings are.</summary>
internal sealed class DocumentSection(string path, string key, JsonElement element) : IConfigurationSection
{
    public string Key => key;

    public string Path => path;

    public string? Value
    {
        get => element.ValueKind switch
        {
            JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null or JsonValueKind.Undefined => null,
            JsonValueKind.String => element.GetString(),
            _ => element.GetRawText(),
        };
        set => throw new NotSupportedException("A document is not changed.");
    }

    public string? this[string name]
    {
        get => GetSection(name).Value;
        set => throw new NotSupportedException("A document is not changed.");
    }

    public IEnumerable<IConfigurationSection> GetChildren() => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().Select(member => Child(member.Name, member.Value)),
        JsonValueKind.Array => element.EnumerateArray().Select((item, index) => Child(index.ToString(System.Globalization.CultureInfo.InvariantCulture), item)),
        _ => [],
    };

    public IConfigurationSection GetSection(string name) =>
        GetChildren().FirstOrDefault(child => child.Key.Equals(name, StringComparison.OrdinalIgnoreCase)) ?? Child(name, default);

    public IChangeToken GetReloadToken() => throw new NotSupportedException("A document is not changed.");

    private DocumentSection Child(string name, JsonElement value) => new($"{path}:{name}", name, value);
}
