using Retry.Messaging.Breaker;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Pulse;

namespace Retry.Messaging.RabbitMq.Limiter.Pacing;

/// <summary>The rate of a limiter, lower for a while after the target has asked to be called less often.</summary>
/// <param name="queue">The work queue.</param>
/// <param name="pulses">Whose pulses are heard; <see langword="null"/> where none can be.</param>
/// <param name="wakeUp">Woken when the rate halves.</param>
/// <param name="monitor">Told so.</param>
/// <param name="time">The clock.</param>
internal sealed class SlowedRate(string queue, PulseShare? pulses, WakeUp wakeUp, LimiterMonitor monitor, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly SlowedCap _cap = new();
    private readonly long _started = time.GetTimestamp();
    private RedeliveryLimit? _limit;
    private CountWatch? _watch;
    private IDisposable? _listening;

    private double Now => time.GetElapsedTime(_started).TotalSeconds;

    /// <summary>Returns what holds of a rate at the moment.</summary>
    /// <param name="limit">The rate; <see langword="null"/> for any.</param>
    /// <param name="isActive">Whether messages are released here. Who releases none hears nobody.</param>
    public RedeliveryLimit? Of(RedeliveryLimit? limit, bool isActive)
    {
        lock (_lock)
        {
            _limit = limit;
            if (limit is null || !isActive)
            {
                EndListening();
            }
            else
            {
                _watch ??= new CountWatch(queue, static point => point.Slow, time);
                _listening ??= pulses?.Listen(Hear);
            }

            var slowed = _cap.Of(limit, Now);
            monitor.IsSlowed(slowed == limit ? null : FormattableString.Invariant($"the target asks to be called less often: {slowed!.PerSecond:0.##}/s of {limit!.PerSecond:0.##}/s for now"));
            return slowed;
        }
    }

    /// <summary>Hears no more.</summary>
    public void End()
    {
        lock (_lock)
        {
            EndListening();
        }
    }

    private void EndListening()
    {
        _listening?.Dispose();
        (_listening, _watch) = (null, null);
    }

    private void Hear(PulseDocument pulse)
    {
        RedeliveryLimit limit;
        double slowed;
        lock (_lock)
        {
            if (_limit is null || _watch is not { } watch || watch.Hear(pulse) == 0 || !_cap.Slow(Now))
            {
                return;
            }

            (limit, slowed) = (_limit, _cap.Of(_limit, Now)!.PerSecond);
        }

        monitor.Halved(slowed, limit.PerSecond);
        wakeUp.Set();
    }
}
