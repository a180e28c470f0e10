using System.Text.Json;
using System.Text.Json.Serialization;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.Operations.Rules;

/// <summary>A rule as a record of the control log.</summary>
internal static class RuleDocuments
{
    /// <summary>The kind of the record.</summary>
    public const string Kind = "retry.rule";

    // what a newer version says must not be passed over: it may be one more condition
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>Writes it.</summary>
    public static ControlRecord Write(Rule rule, long version, string by, DateTimeOffset at) =>
        new(Kind, rule.Key, version, JsonSerializer.SerializeToUtf8Bytes(rule, Json)) { By = by, At = at };

    /// <summary>Reads it.</summary>
    /// <exception cref="FormatException">It makes no sense here. That is never the same as "there is no rule".</exception>
    public static Rule Read(ControlRecord record)
    {
        try
        {
            var rule = JsonSerializer.Deserialize<Rule>(record.Body.Span, Json);
            if (rule is null || rule.Key != record.Key)
            {
                throw new FormatException("It is no rule, or that of another point.");
            }

            _ = rule.Trigger.Slots();
            _ = rule.Conditions.ToFilter(record.At);
            return rule with { Version = record.Version };
        }
        catch (JsonException exception)
        {
            throw new FormatException(exception.Message, exception);
        }
    }
}
