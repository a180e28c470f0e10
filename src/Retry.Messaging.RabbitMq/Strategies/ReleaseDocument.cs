using System.Text.Json;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Strategies;

/// <summary>What operators have released of a point: all that waits since before a moment goes as soon as it comes by.</summary>
/// <param name="Point">The work queue.</param>
/// <param name="WaitsSinceBefore">The moment, by the operator's clock; <see langword="null"/> where nothing was ever released.</param>
internal sealed record ReleaseDocument(string Point, DateTimeOffset? WaitsSinceBefore)
{
    /// <summary>The kind of the record, in the control log.</summary>
    public const string Kind = "retry.release";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Writes it.</summary>
    /// <param name="version">One higher than that of the last one.</param>
    /// <param name="by">Who releases.</param>
    /// <param name="at">When.</param>
    public ControlRecord Write(long version, string by, DateTimeOffset at) =>
        new(Kind, Point, version, JsonSerializer.SerializeToUtf8Bytes(this, Json)) { By = by, At = at };

    /// <summary>Reads one. What makes no sense releases nothing.</summary>
    public static ReleaseDocument Read(ControlRecord? record, string point)
    {
        try
        {
            return record is not null && JsonSerializer.Deserialize<ReleaseDocument>(record.Body.Span, Json) is { } document && document.Point == point
                ? document
                : new ReleaseDocument(point, null);
        }
        catch (JsonException)
        {
            return new ReleaseDocument(point, null);
        }
    }
}
