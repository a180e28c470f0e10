using Retry.Messaging.Configuration;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Says when the next message may go: a schedule, not a bucket that a timer fills.</summary>
/// <remarks>
/// <para>
/// The generic cell rate algorithm: one instant is kept, that at which the next message is due. In every window of 100 ms or
/// more at most <c>rate x window + burst</c> messages go, however late the waits end.
/// </para>
/// <para>
/// A wait always ends a little late, and what it lost has to be caught up, or a limiter with a burst of one runs several
/// percent slow. Catching up puts two messages closer together than the rate allows, so the schedule runs up to one percent
/// below the rate: that pays for a millisecond in the shortest window. Slow rates need no such headroom and have none.
/// </para>
/// <para>It has no lock: one limiter's loop owns it.</para>
/// </remarks>
internal sealed class RedeliveryPacer(TimeProvider time)
{
    /// <summary>The shortest window in which the bound holds.</summary>
    public static readonly TimeSpan ShortestWindow = TimeSpan.FromMilliseconds(100);

    /// <summary>How late a message may be without the schedule moving.</summary>
    public static readonly TimeSpan CaughtUp = TimeSpan.FromMilliseconds(1);

    // in timestamps of the clock; a double, since 1/3 ms does not divide
    private double _due = double.NegativeInfinity;
    private double _interval;
    private int _burst = 1;

    /// <summary>Gets the rate in force; null lets everything through.</summary>
    public RedeliveryLimit? Limit { get; private set; }

    private double Late => CaughtUp.TotalSeconds * time.TimestampFrequency;

    /// <summary>Changes the rate. What was used of the old allowance counts on.</summary>
    public void Change(RedeliveryLimit? limit)
    {
        if (limit == Limit)
        {
            return;
        }

        var before = Limit;
        Limit = limit;
        if (limit is null)
        {
            return;
        }

        var exact = time.TimestampFrequency / limit.PerSecond;
        var window = Math.Max(exact, ShortestWindow.TotalSeconds * time.TimestampFrequency);
        _interval = exact / (1 - (Late / (window + Late)));
        _burst = limit.Burst;
        if (before is null)
        {
            AssumeUsed();
        }
        else
        {
            // a wait of an hour at the old rate must not outlive it, and a new burst is not a present
            _due = Math.Min(_due, time.GetTimestamp() + (_burst * _interval));
            _due = Math.Max(_due, time.GetTimestamp() + ((_burst - 1) * _interval));
        }
    }

    /// <summary>Starts with nothing left, as a successor does: its predecessor may have used the whole allowance this very moment.</summary>
    /// <param name="ahead">Messages that count as let through already, since they are about to reach the target.</param>
    public void AssumeUsed(long ahead = 0) =>
        _due = Math.Max(_due, time.GetTimestamp() + ((_burst + ahead) * _interval));

    /// <summary>How long until a message may go; zero when one may now.</summary>
    public TimeSpan Wait()
    {
        if (Limit is null)
        {
            return TimeSpan.Zero;
        }

        var wait = _due - ((_burst - 1) * _interval) - time.GetTimestamp();
        return wait <= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(wait / time.TimestampFrequency);
    }

    /// <summary>Counts a message that has gone, before the next is asked for.</summary>
    /// <param name="at">When it was gone, in timestamps of the clock: however long it took to get out, the next follows at its distance.</param>
    public void Take(long at)
    {
        if (Limit is not null)
        {
            _due = Math.Max(_due, at - Late) + _interval;
        }
    }
}
