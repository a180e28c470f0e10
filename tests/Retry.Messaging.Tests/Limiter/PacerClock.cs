namespace Retry.Messaging.Tests.Limiter;

/// <summary>A clock that a test turns; its timestamps are ticks of 100 ns.</summary>
internal sealed class PacerClock : TimeProvider
{
    private long _now = TimeSpan.TicksPerDay;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public TimeSpan Now => TimeSpan.FromTicks(_now);

    public override long GetTimestamp() => _now;

    public void Advance(TimeSpan time) => _now += time.Ticks;
}
