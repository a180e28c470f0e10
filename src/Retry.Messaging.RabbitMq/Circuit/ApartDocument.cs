using System.Text.Json;
using Retry.Messaging.Breaker;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>Which nodes of a point are set apart, as all instances read it in the control log. An instance of an older version passes over it.</summary>
/// <param name="Point">The work queue.</param>
/// <param name="Nodes">The nodes.</param>
internal sealed record ApartDocument(string Point, IReadOnlyList<ApartNode> Nodes)
{
    /// <summary>The kind of the record, in the control log.</summary>
    public const string Kind = "retry.circuit.apart";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Writes it.</summary>
    /// <param name="version">Its number.</param>
    /// <param name="by">The instance that judges.</param>
    /// <param name="at">When.</param>
    public ControlRecord Write(long version, string by, DateTimeOffset at) =>
        new(Kind, Point, version, JsonSerializer.SerializeToUtf8Bytes(this, Json)) { By = by, At = at };

    /// <summary>Reads one; <see langword="null"/> where it makes no sense.</summary>
    public static ApartDocument? TryRead(ControlRecord record)
    {
        try
        {
            return JsonSerializer.Deserialize<ApartDocument>(record.Body.Span, Json) is { Nodes: { } nodes } document
                && document.Point == record.Key && nodes.All(node => node is { Node.Length: > 0, Number: > 0, Why: not null })
                ? document
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
