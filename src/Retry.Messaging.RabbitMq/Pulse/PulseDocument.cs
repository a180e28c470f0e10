using System.Text.Json;
using System.Text.Json.Serialization;

namespace Retry.Messaging.RabbitMq.Pulse;

/// <summary>What a process says of its points, at most once a second: counts since it started, so that one which is missed takes nothing along.</summary>
/// <param name="Node">The process: an id of its own for each start.</param>
/// <param name="By">Its host and process id, for people.</param>
/// <param name="At">How long it has been running, in milliseconds. Rates come from it, so that no clock needs to be right.</param>
/// <param name="Points">Its points. One that does nothing is there, too.</param>
internal sealed record PulseDocument(string Node, string By, long At, IReadOnlyList<PointPulse> Points)
{
    /// <summary>The version of the format. A reader passes over what it does not know, and over a version above its own.</summary>
    public const int Known = 1;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault };

    /// <summary>The version of the format that it is written in.</summary>
    public int Version { get; init; } = Known;

    /// <summary>Writes it.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>Reads one; <see langword="null"/> where it is none, or one of a version that is not known.</summary>
    public static PulseDocument? Read(ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonSerializer.Deserialize<PulseDocument>(body, Json) is { Version: <= Known, Node.Length: > 0 } pulse
                ? pulse with { By = pulse.By ?? string.Empty, Points = [.. (pulse.Points ?? []).Where(point => point is { Queue.Length: > 0 })] }
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
