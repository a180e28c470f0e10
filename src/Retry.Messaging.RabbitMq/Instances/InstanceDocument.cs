using System.Text.Json;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Instances;

/// <summary>What an instance of a service says of itself, as records among the announcements.</summary>
/// <param name="Instance">The instance's id.</param>
internal sealed record InstanceDocument(string Instance)
{
    /// <summary>The kind of "I am about to consume from this queue". The key is the queue.</summary>
    public const string BeganKind = "retry.instance.began";

    /// <summary>The kind of "I stop", said before the first delivery is cut off. The key is the instance.</summary>
    public const string EndedKind = "retry.instance.ended";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Writes that an instance is about to consume from a queue.</summary>
    public static ControlRecord Began(string queue, string instance, string by, DateTimeOffset at) =>
        new(BeganKind, queue, 1, JsonSerializer.SerializeToUtf8Bytes(new InstanceDocument(instance), Json)) { By = by, At = at };

    /// <summary>Writes that an instance stops, or that it has been gone for so long that its end no longer matters.</summary>
    public static ControlRecord Ended(string instance, string by, DateTimeOffset at) =>
        new(EndedKind, instance, 1, JsonSerializer.SerializeToUtf8Bytes(new InstanceDocument(instance), Json)) { By = by, At = at };

    /// <summary>Reads which instance a record speaks of, or null when it cannot be read.</summary>
    public static string? InstanceOf(ControlRecord record)
    {
        try
        {
            return JsonSerializer.Deserialize<InstanceDocument>(record.Body.Span, Json)?.Instance;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
