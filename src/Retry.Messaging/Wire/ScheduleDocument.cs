namespace Retry.Messaging.Wire;

/// <summary>The JSON of <see cref="RetryHeaderNames.Schedule"/>; times in milliseconds since 1970, UTC.</summary>
internal sealed record ScheduleDocument
{
    public long Due { get; init; }

    public long? Leaves { get; init; }

    public string? Exchange { get; init; }

    public string? Key { get; init; }

    public byte? Priority { get; init; }

    public string? Expiration { get; init; }

    public string? User { get; init; }

    public IReadOnlyList<string>? Cc { get; init; }

    public IReadOnlyList<string>? Bcc { get; init; }

    public int Repeated { get; init; }

    public Guid? Token { get; init; }

    // in microseconds: a cancel and the next schedule may be less than a millisecond apart
    public long? Asked { get; init; }
}
