namespace Retry.Messaging.BrokerTests.Observing;

/// <summary>A clock that goes faster than the broker's: what waits for an hour waits for seconds.</summary>
internal sealed class FastClock(int factor) : TimeProvider
{
    /// <summary>Called before a timer starts, with the time that it was meant to take.</summary>
    public Action<TimeSpan>? Waiting { get; init; }

    /// <summary>Gets what a timer takes at most.</summary>
    public TimeSpan Longest { get; init; } = Timeout.InfiniteTimeSpan;

    public override long GetTimestamp() => base.GetTimestamp() * factor;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Waiting?.Invoke(dueTime);
        return base.CreateTimer(callback, state, Shorter(dueTime), Shorter(period));
    }

    private TimeSpan Shorter(TimeSpan time)
    {
        if (time <= TimeSpan.Zero)
        {
            return time;
        }

        var shorter = time / factor;
        return Longest > TimeSpan.Zero && shorter > Longest ? Longest : shorter;
    }
}
