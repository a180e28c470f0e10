namespace Retry.Messaging.Wire;

/// <summary>Times as microseconds since 1970, UTC.</summary>
internal static class UnixMicroseconds
{
    private static readonly long Latest = Of(DateTimeOffset.MaxValue);

    /// <summary>Writes a time, rounded down.</summary>
    public static long Of(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Reads a time; what is out of range becomes the nearest that is not.</summary>
    public static DateTimeOffset Read(long microseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(Math.Clamp(microseconds, 0, Latest) * TimeSpan.TicksPerMicrosecond);
}
