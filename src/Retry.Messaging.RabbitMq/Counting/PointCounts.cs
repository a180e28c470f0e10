namespace Retry.Messaging.RabbitMq.Counting;

/// <summary>What a retry point does in this process, in numbers that only grow, but for what is in flight.</summary>
/// <remarks>Every message is counted here, whether anybody looks or not: each method is an addition or two.</remarks>
internal sealed class PointCounts
{
    private long _done;
    private long _error;
    private long _fail;
    private long _timedOut;
    private long _notOfTarget;
    private long _slow;
    private int _inFlight;

    /// <summary>Attempts that ended without an exception, or with one that stands for success.</summary>
    public long Done => Volatile.Read(ref _done);

    /// <summary>Attempts that ended with an exception which another attempt may mend, the last attempt of a message included.</summary>
    public long Error => Volatile.Read(ref _error);

    /// <summary>Attempts that ended with an exception which no other attempt mends, and messages that could not be read or that no consumer took.</summary>
    public long Fail => Volatile.Read(ref _fail);

    /// <summary>Attempts that ended with a time-out: their own, or one that their consumer threw. They are no <see cref="Error"/> beside it.</summary>
    public long TimedOut => Volatile.Read(ref _timedOut);

    /// <summary>Those of <see cref="Error"/> and <see cref="TimedOut"/> that do not show that the target is ill.</summary>
    public long NotOfTarget => Volatile.Read(ref _notOfTarget);

    /// <summary>Those of <see cref="NotOfTarget"/> by which the target asks to be called less often.</summary>
    public long Slow => Volatile.Read(ref _slow);

    /// <summary>All of the others.</summary>
    public long Ended => Done + Error + Fail + TimedOut;

    /// <summary>Attempts that run at the moment.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>How long attempts took.</summary>
    public TimeDistribution ConsumerTime { get; } = new();

    /// <summary>How long after its due time a repeated attempt began.</summary>
    public TimeDistribution Lateness { get; } = new();

    /// <summary>What the point has sent up the ladder.</summary>
    public ClimbBook Climbs { get; } = new();

    /// <summary>An attempt begins.</summary>
    public void Begin() => Interlocked.Increment(ref _inFlight);

    /// <summary>An attempt has ended, whatever becomes of its message.</summary>
    public void End(TimeSpan took)
    {
        Interlocked.Decrement(ref _inFlight);
        ConsumerTime.Add(took);
    }

    public void CountDone() => Interlocked.Increment(ref _done);

    public void CountFail() => Interlocked.Increment(ref _fail);

    /// <summary>Counts an error, which is counted as one as well, that does not show that the target is ill.</summary>
    public void CountNotOfTarget() => Interlocked.Increment(ref _notOfTarget);

    /// <summary>Counts an error, which is counted as one that is not the target's as well, by which the target asks to be called less often.</summary>
    public void CountSlow() => Interlocked.Increment(ref _slow);

    /// <summary>Counts an exception that another attempt may mend.</summary>
    public void CountError(bool isTimeout)
    {
        if (isTimeout)
        {
            Interlocked.Increment(ref _timedOut);
        }
        else
        {
            Interlocked.Increment(ref _error);
        }
    }
}
