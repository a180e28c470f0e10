using System.Text.Json;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Instances;

/// <summary>What an instance of a service says of itself, as records among the announcements.</summary>
/// <param name="Instance">The instance's id.</param>
internal sealed record InstanceDocument(string Instance)
{
    /// <summary>Where it runs and of what it is built; <see langword="null"/> in what says that it stops.</summary>
    public InstanceFacts? Facts { get; init; }

    /// <summary>What it serves; <see langword="null"/> in what says that it stops.</summary>
    public ServedPoint? Point { get; init; }

    /// <summary>The kind of "I am about to consume from this queue". The key is the queue.</summary>
    public const string BeganKind = "retry.instance.began";

    /// <summary>The kind of "I stop", said before the first delivery is cut off. The key is the instance.</summary>
    public const string EndedKind = "retry.instance.ended";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Writes that an instance is about to consume from a queue.</summary>
    public static ControlRecord Began(ServedPoint point, string instance, InstanceFacts facts, string by, DateTimeOffset at) =>
        new(BeganKind, point.Queue, 1, JsonSerializer.SerializeToUtf8Bytes(new InstanceDocument(instance) { Facts = facts, Point = point }, Json))
        {
            By = by,
            At = at,
        };

    /// <summary>Writes that an instance stops, or that it has been gone for so long that its end no longer matters.</summary>
    public static ControlRecord Ended(string instance, string by, DateTimeOffset at) =>
        new(EndedKind, instance, 1, JsonSerializer.SerializeToUtf8Bytes(new InstanceDocument(instance), Json)) { By = by, At = at };

    /// <summary>Reads a record; <see langword="null"/> where it cannot be read or names no instance.</summary>
    public static InstanceDocument? Read(ControlRecord record)
    {
        try
        {
            return JsonSerializer.Deserialize<InstanceDocument>(record.Body.Span, Json) is { Instance.Length: > 0 } document ? document : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
