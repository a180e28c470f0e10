using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Control;

/// <summary>How much a stream keeps, as the arguments that it is declared with.</summary>
/// <param name="MaxBytes">What all segments take at most, in bytes.</param>
/// <param name="SegmentBytes">When a new segment begins, in bytes; retention takes whole segments, and only when one begins.</param>
/// <param name="MaxAge">How old a segment may become, as RabbitMQ writes it, for example <c>1D</c>; null for any age.</param>
internal sealed record StreamRetention(long MaxBytes, long SegmentBytes, string? MaxAge = null)
{
    private const string SegmentSize = "x-stream-max-segment-size-bytes";
    private const string Age = "x-max-age";

    /// <summary>The arguments of the stream.</summary>
    public Dictionary<string, object?> Arguments()
    {
        var arguments = new Dictionary<string, object?>
        {
            [Headers.XQueueType] = "stream",
            [Headers.XMaxLengthInBytes] = MaxBytes,
            [SegmentSize] = SegmentBytes,
        };
        if (MaxAge is not null)
        {
            arguments[Age] = MaxAge;
        }

        return arguments;
    }
}
