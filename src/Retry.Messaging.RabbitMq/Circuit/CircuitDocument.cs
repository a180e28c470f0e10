using System.Text.Json;
using System.Text.Json.Serialization;
using Retry.Messaging.Breaker;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>What the circuit of a point lets through, as all instances read it in the control log.</summary>
/// <param name="Point">The work queue.</param>
/// <param name="State">What it lets through.</param>
internal sealed record CircuitDocument(string Point, CircuitState State)
{
    /// <summary>The kind of the record, in the control log.</summary>
    public const string Kind = "retry.circuit";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>What it goes by: outcomes, or an operator's word.</summary>
    public CircuitHand Hand { get; init; }

    /// <summary>Why it is so, for people.</summary>
    public string? Why { get; init; }

    /// <summary>Since when it has not been closed; <see langword="null"/> where it is.</summary>
    public DateTimeOffset? OpenSince { get; init; }

    /// <summary>Since when it had not been closed, the last time that it was not; <see langword="null"/> while that lasts, and where it never was.</summary>
    public DateTimeOffset? LastOpening { get; init; }

    /// <summary>How often the target is tried while the circuit is open; <see langword="null"/> where it is not tried.</summary>
    public TimeSpan? Interval { get; init; }

    /// <summary>Gets a value indicating whether nothing is to be sent on but what is tried.</summary>
    [JsonIgnore]
    public bool HoldsBack => State == CircuitState.Open;

    /// <summary>The number of the document; 0: the circuit was never anything but closed.</summary>
    [JsonIgnore]
    public long Version { get; init; }

    /// <summary>Who wrote it: an instance, or an operator.</summary>
    [JsonIgnore]
    public string By { get; init; } = string.Empty;

    /// <summary>When it was written.</summary>
    [JsonIgnore]
    public DateTimeOffset At { get; init; }

    /// <summary>Writes it.</summary>
    public ControlRecord Write() => new(Kind, Point, Version, JsonSerializer.SerializeToUtf8Bytes(this, Json)) { By = By, At = At };

    /// <summary>Reads one.</summary>
    /// <exception cref="ControlException">It makes no sense: the state that is known holds.</exception>
    public static CircuitDocument Read(ControlRecord record)
    {
        try
        {
            if (JsonSerializer.Deserialize<CircuitDocument>(record.Body.Span, Json) is { } document && document.Point == record.Key)
            {
                return document with { Version = record.Version, By = record.By, At = record.At };
            }
        }
        catch (JsonException exception)
        {
            throw Unreadable(record, exception);
        }

        throw Unreadable(record, null);
    }

    /// <summary>Reads one; <see langword="null"/> where it makes no sense.</summary>
    public static CircuitDocument? TryRead(ControlRecord record)
    {
        try
        {
            return Read(record);
        }
        catch (ControlException)
        {
            return null;
        }
    }

    private static ControlException Unreadable(ControlRecord record, Exception? exception) => new(
        $"Found a circuit of '{record.Key}' (version {record.Version}) that is no document of ours{(exception is null ? string.Empty : $" ({exception.Message})")}. Set it anew: 'retryctl breaker auto {record.Key}'.",
        exception);
}

/// <summary>Who says what a circuit lets through.</summary>
internal enum CircuitHand
{
    /// <summary>Outcomes do.</summary>
    Auto,

    /// <summary>An operator has opened it: nothing begins, and nothing is tried.</summary>
    Open,

    /// <summary>An operator has closed it: everything begins, whatever comes of it.</summary>
    Closed,
}
