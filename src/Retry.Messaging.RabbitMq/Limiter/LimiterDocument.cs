using System.Text.Json;
using System.Text.Json.Serialization;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What operators set for limiters, and what limiters say of themselves, as records.</summary>
internal static class LimiterDocument
{
    /// <summary>The kind of an operator's setting, in the control log.</summary>
    public const string SettingKind = "retry.limiter.setting";

    /// <summary>The kind of what the code of the point's services says, in the control log.</summary>
    public const string CodeKind = "retry.limiter.code";

    /// <summary>The kind of what an instance says of itself, among the announcements.</summary>
    public const string NodeKind = "retry.limiter.node";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>Writes a setting.</summary>
    public static ControlRecord Write(LimiterSetting setting) =>
        new(
            SettingKind,
            setting.Point,
            setting.Version,
            JsonSerializer.SerializeToUtf8Bytes(setting, Json)) { By = setting.By ?? string.Empty, At = setting.At ?? default };

    /// <summary>Writes what the code says.</summary>
    public static ControlRecord Write(LimiterCode code, long version, string by, DateTimeOffset at) =>
        new(CodeKind, code.Point, version, JsonSerializer.SerializeToUtf8Bytes(code, Json)) { By = by, At = at };

    /// <summary>Writes what an instance says of itself.</summary>
    public static ControlRecord Write(LimiterNode node) =>
        new(NodeKind, node.Point, 1, JsonSerializer.SerializeToUtf8Bytes(node, Json)) { By = node.Instance, At = node.At };

    /// <summary>Reads a setting.</summary>
    /// <exception cref="LimiterException">It makes no sense. That is never the same as "nothing is set".</exception>
    public static LimiterSetting ReadSetting(ControlRecord record)
    {
        LimiterSetting? setting;
        try
        {
            setting = JsonSerializer.Deserialize<LimiterSetting>(record.Body.Span, Json);
        }
        catch (JsonException exception)
        {
            throw new LimiterException(
                $"Found a setting of '{record.Key}' that is no document of ours ({exception.Message}). Set it anew: 'retryctl limiter rate', 'pause' or 'resume'.",
                exception);
        }

        if (setting is null || setting.Point != record.Key || !IsInRange(setting.PerSecond, setting.Burst))
        {
            throw new LimiterException($"Found a setting of '{record.Key}' with values out of range. Set it anew: 'retryctl limiter rate', 'pause' or 'resume'.");
        }

        return setting with { Version = record.Version };
    }

    /// <summary>Reads what the code says, or null when it makes no sense: then it is not known, which is never the same as "no limit".</summary>
    public static LimiterCode? ReadCode(ControlRecord record)
    {
        try
        {
            return JsonSerializer.Deserialize<LimiterCode>(record.Body.Span, Json) is { } code && code.Point == record.Key
                && IsInRange(code.Limit?.PerSecond, code.Limit?.Burst)
                && code.Budget is null or { Share: >= 0 and <= SettingRange.LargestShare, FloorPerSecond: >= SettingRange.LowestRate and <= SettingRange.HighestRate }
                ? code
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Reads what an instance said, or null when it cannot be read: it is for people only.</summary>
    public static LimiterNode? ReadNode(ControlRecord record)
    {
        try
        {
            return record.Kind == NodeKind ? JsonSerializer.Deserialize<LimiterNode>(record.Body.Span, Json) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsInRange(double? rate, int? burst) =>
        (rate is null || (rate >= SettingRange.LowestRate && rate <= SettingRange.HighestRate)) && (burst is null or (>= 1 and <= SettingRange.LargestBurst));
}
