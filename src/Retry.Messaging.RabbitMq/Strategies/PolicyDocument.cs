using System.Text.Json;
using System.Text.Json.Serialization;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Strategies;

/// <summary>What operators have set for a point: a whole document, never a change to one.</summary>
/// <remarks>It wins over appsettings and code, on every instance, until it is cleared.</remarks>
/// <param name="Point">The work queue.</param>
/// <param name="Settings">The settings by name, as in appsettings; none where it was cleared.</param>
internal sealed record PolicyDocument(string Point, IReadOnlyDictionary<string, JsonElement> Settings)
{
    /// <summary>The kind of the record, in the control log.</summary>
    public const string Kind = "retry.policy";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>Why it was set.</summary>
    public string? Why { get; init; }

    /// <summary>The document that it took the place of; <see langword="null"/> for the first. Its own predecessor is not in it.</summary>
    public PolicyDocument? Before { get; init; }

    /// <summary>The number of the document; 0: nothing was ever set.</summary>
    public long Version { get; init; }

    /// <summary>Who set it.</summary>
    public string? By { get; init; }

    /// <summary>When it was set.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>No document.</summary>
    public static PolicyDocument None(string point) => new(point, new Dictionary<string, JsonElement>());

    /// <summary>Writes it.</summary>
    public ControlRecord Write()
    {
        var alone = this with { Before = Before is { } before ? before with { Before = null } : null };
        return new(Kind, Point, Version, JsonSerializer.SerializeToUtf8Bytes(alone, Json)) { By = By ?? string.Empty, At = At ?? default };
    }

    /// <summary>Reads one. What its settings mean is not looked at.</summary>
    /// <exception cref="ControlException">It makes no sense. That is never the same as "nothing is set".</exception>
    public static PolicyDocument Read(ControlRecord record)
    {
        PolicyDocument? document;
        try
        {
            document = JsonSerializer.Deserialize<PolicyDocument>(record.Body.Span, Json);
        }
        catch (JsonException exception)
        {
            throw Unreadable(record, exception);
        }

        return document is { Settings: not null } && document.Point == record.Key
            ? document with { Version = record.Version, By = record.By, At = record.At }
            : throw Unreadable(record, null);
    }

    private static ControlException Unreadable(ControlRecord record, Exception? exception) => new(
        $"Found a policy of '{record.Key}' (version {record.Version}) that is no document of ours{(exception is null ? string.Empty : $" ({exception.Message})")}. Set it anew: 'retryctl policy set' or 'clear'.",
        exception);
}
