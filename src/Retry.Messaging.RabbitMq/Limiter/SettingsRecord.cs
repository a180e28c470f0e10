using System.Text.Json;
using System.Text.Json.Serialization;
using RabbitMQ.Client;
using Retry.Messaging.Configuration;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>A record of the settings stream: JSON, with its kind and point outside, where they can be read when the rest cannot.</summary>
internal static class SettingsRecord
{
    public const string SettingType = "retry.limiter.setting";
    public const string NodeType = "retry.limiter.node";

    private const string PointHeader = "retry-point";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static (BasicProperties Properties, byte[] Body) Write(LimiterSetting setting, string id) =>
        (PropertiesOf(SettingType, setting.Point, id), JsonSerializer.SerializeToUtf8Bytes(setting, Json));

    public static (BasicProperties Properties, byte[] Body) Write(LimiterNode node, string id) =>
        (PropertiesOf(NodeType, node.Point, id), JsonSerializer.SerializeToUtf8Bytes(node, Json));

    /// <summary>The point that a record is about.</summary>
    public static string? PointOf(IReadOnlyBasicProperties properties) =>
        properties.Headers is { } headers ? State.RetryHeaderReader.Text(headers, PointHeader) : null;

    /// <summary>Reads a setting.</summary>
    /// <exception cref="LimiterException">It makes no sense. That is never the same as "nothing is set".</exception>
    public static LimiterSetting ReadSetting(string point, ReadOnlyMemory<byte> body)
    {
        LimiterSetting? setting;
        try
        {
            setting = JsonSerializer.Deserialize<LimiterSetting>(body.Span, Json);
        }
        catch (JsonException exception)
        {
            throw new LimiterException($"Found a setting of '{point}' that is no JSON of ours ({exception.Message}). Set it anew: 'retryctl limiter rate', 'pause' or 'resume'.", exception);
        }

        if (setting is null || setting.Point != point || setting.Version < 1
            || setting.PerSecond is { } rate && !(rate >= SettingRange.LowestRate && rate <= SettingRange.HighestRate)
            || setting.Burst is < 1 or > SettingRange.LargestBurst)
        {
            throw new LimiterException($"Found a setting of '{point}' with values out of range. Set it anew: 'retryctl limiter rate', 'pause' or 'resume'.");
        }

        return setting;
    }

    /// <summary>Reads what an instance said, or null when it cannot be read: it is for people only.</summary>
    public static LimiterNode? ReadNode(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonSerializer.Deserialize<LimiterNode>(body.Span, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static BasicProperties PropertiesOf(string type, string point, string id) => new()
    {
        Type = type,
        MessageId = id,
        ContentType = "application/json",
        Headers = new Dictionary<string, object?> { [PointHeader] = point },
    };
}
