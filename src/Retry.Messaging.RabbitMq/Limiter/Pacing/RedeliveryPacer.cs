using Retry.Messaging.Configuration;

namespace Retry.Messaging.RabbitMq.Limiter.Pacing;

/// <summary>Says when the next message may go: a schedule, not a bucket that a timer fills.</summary>
/// <remarks>
/// <para>
/// In every window of 100 ms or more at most <c>rate x window + burst</c> messages go, however late the waits end. Two messages
/// that have at least <c>rate x 100 ms + burst</c> others between the first and themselves are never closer than the rate
/// allows; nearer ones share a shortest window, and together are no more than fit into it. That is the bound itself, so a
/// wait that ends late is caught up within 100 ms, and costs something only when no other was as late in that time.
/// </para>
/// <para>
/// Within the shortest window the generic cell rate algorithm keeps the distance, with 5 ms of lateness allowed: a longer stall
/// is not caught up, and at 1,000 per second no more than six go at once.
/// </para>
/// <para>It has no lock: one limiter's loop owns it.</para>
/// </remarks>
internal sealed class RedeliveryPacer(TimeProvider time)
{
    /// <summary>The shortest window in which the bound holds.</summary>
    public static readonly TimeSpan ShortestWindow = TimeSpan.FromMilliseconds(100);

    /// <summary>How late a message may be without the near schedule moving.</summary>
    public static readonly TimeSpan CaughtUp = TimeSpan.FromMilliseconds(5);

    private const double Rounding = 1e-9;

    // Instants are in timestamps of the clock; doubles, since 1/3 ms does not divide. An origin is the instant of a message less
    // one interval for each message before it: while the rate is kept, all are the same.
    private readonly Queue<double> _near = new();
    private double _origin = double.NegativeInfinity;
    private double _due = double.NegativeInfinity;
    private double _interval;
    private long _count;
    private int _together = 1;
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
        _near.Clear();
        _origin = double.NegativeInfinity;
        if (limit is null)
        {
            return;
        }

        _interval = time.TimestampFrequency / limit.PerSecond;
        _burst = limit.Burst;
        _together = (int)((limit.PerSecond * ShortestWindow.TotalSeconds) + Rounding) + _burst;
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
    public void AssumeUsed(long ahead = 0)
    {
        // its last ones may have been caught up
        var first = time.GetTimestamp() + Late + ((1 + ahead) * _interval);
        _due = Math.Max(_due, first + ((_burst - 1) * _interval));
        _origin = Math.Max(_origin, first - ((_count + 1 - _burst) * _interval));
    }

    /// <summary>How long until a message may go; zero when one may now.</summary>
    public TimeSpan Wait()
    {
        if (Limit is null)
        {
            return TimeSpan.Zero;
        }

        var wait = Math.Max(_due - ((_burst - 1) * _interval), _origin + ((_count + 1 - _burst) * _interval)) - time.GetTimestamp();
        return wait <= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(wait / time.TimestampFrequency);
    }

    /// <summary>Counts a message that has gone, before the next is asked for.</summary>
    /// <param name="at">When it was gone, in timestamps of the clock: however long it took to get out, the next follows at its distance.</param>
    public void Take(long at)
    {
        if (Limit is null)
        {
            return;
        }

        _due = Math.Max(_due, at - Late) + _interval;
        _near.Enqueue(at - (_count * _interval));
        _count++;
        if (_near.Count >= _together)
        {
            _origin = Math.Max(_origin, _near.Dequeue());
        }
    }
}
