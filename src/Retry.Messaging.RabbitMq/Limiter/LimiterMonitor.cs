using System.Globalization;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Configuration;
using Retry.Messaging.Naming;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Knows what a limiter does, and says so when it changes.</summary>
internal sealed partial class LimiterMonitor(string point, TimeProvider time, ILogger logger)
{
    private const string Starting = "starting";
    private static readonly TimeSpan BetweenLines = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Lately = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly OncePer _line = new(BetweenLines, time);
    private LimiterActivity _activity = LimiterActivity.Down;
    private DateTimeOffset _since = time.GetUtcNow();
    private string? _reason = Starting;
    private RedeliveryLimit? _limit;
    private long _released;
    private long? _waiting;
    private DateTimeOffset? _oldestDue;
    private string? _heldBack;
    private long _heldBackAt;
    private string? _slowed;
    private bool _isUnheard;

    /// <summary>Gets the labels of its metrics.</summary>
    public KeyValuePair<string, object?>[] Labels { get; private set; } = LabelsOf(string.Empty, string.Empty, point);

    /// <summary>Gets what the operator has set, as far as this process knows.</summary>
    public LimiterSetting? Known { get; private set; }

    /// <summary>Gets why it held messages back within the last ten seconds, or why it is slower than its rate; null where it is not.</summary>
    public string? HeldBack => _heldBack is { } reason && time.GetElapsedTime(_heldBackAt) < Lately ? reason : _slowed;

    /// <summary>Gets or sets what tells how many messages the retry budget allows at once; null where there is none.</summary>
    public Func<double?>? Budget { get; set; }

    /// <summary>Gets or sets a value indicating whether it has told the others what its code says.</summary>
    public bool HasSaidCode { get; set; }

    /// <summary>Gets what it does.</summary>
    public LimiterStatus Status
    {
        get
        {
            lock (_lock)
            {
                return new LimiterStatus(point, _activity, _since, _reason, _limit, Interlocked.Read(ref _released));
            }
        }
    }

    /// <summary>Counts messages that reached the work queue.</summary>
    public void Released(int count)
    {
        if (count > 0)
        {
            Interlocked.Add(ref _released, count);
            LimiterMetrics.Released(this, count);
        }
    }

    /// <summary>Gets the messages in the release queue when the active limiter last looked; null where it does not.</summary>
    public long? Waiting => Status.Activity == LimiterActivity.Active ? _waiting : null;

    /// <summary>Gets how long the next message has been due; null when none waits.</summary>
    public TimeSpan? OldestAge => Status.Activity == LimiterActivity.Active && _oldestDue is { } due ? time.GetUtcNow() - due : null;

    /// <summary>Notes where it is connected.</summary>
    public void IsAt(string cluster, string virtualHost) => Labels = LabelsOf(cluster, virtualHost, point);

    /// <summary>Notes what waits.</summary>
    public void Sees(long waiting, DateTimeOffset? oldestDue)
    {
        _waiting = waiting;
        _oldestDue = oldestDue;
    }

    /// <summary>Records the setting and the limit now in force.</summary>
    public void Applied(LimiterSetting setting, RedeliveryLimit? limit)
    {
        Known = setting;
        _limit = limit;
    }

    /// <summary>Notes why an active limiter releases nothing at the moment; null when it does.</summary>
    public void Waits(string? reason)
    {
        if (reason is not null)
        {
            (_heldBack, _heldBackAt) = (reason, time.GetTimestamp());
        }

        if (reason == _reason)
        {
            return;
        }

        lock (_lock)
        {
            _reason = reason;
        }

        if (reason is not null && _line.IsTime())
        {
            LogWaits(point, reason);
        }
    }

    /// <summary>Notes whether somebody is heard who could tell of successes; where nobody is, that is said once.</summary>
    public void Hears(bool isUnheard)
    {
        if (isUnheard && !_isUnheard)
        {
            LogUnheard(point);
        }

        _isUnheard = isUnheard;
    }

    /// <summary>Notes why it is slower than its rate; null where it is not.</summary>
    public void IsSlowed(string? why) => _slowed = why;

    /// <summary>Says that the target asked to be called less often.</summary>
    public void Halved(double perSecond, double cap) => LogHalved(point, perSecond, cap);

    /// <summary>Notes what it does now.</summary>
    public void Is(LimiterActivity activity, string? reason)
    {
        if (activity == _activity)
        {
            // The first to start on a fresh broker lose their connection where another has just declared the settings and is not
            // done (3.10: 541 or 406 in 13 of 20 starts of two, all up within 0.8 s). What lasts fails again, half a second later.
            var isFirst = _reason == Starting;
            lock (_lock)
            {
                // what an active one waits for is said by Waits
                _reason = activity == LimiterActivity.Active ? _reason : reason;
            }

            if (activity == LimiterActivity.Down && !isFirst && _line.IsTime())
            {
                LogDown(point, reason);
            }

            return;
        }

        Become(activity, reason);
        switch (activity)
        {
            case LimiterActivity.Down:
                _line.Happened();
                LogDown(point, reason);
                break;

            case LimiterActivity.StandingBy:
                LogStandingBy(point);
                break;

            case LimiterActivity.Active:
                LogActive(point, _limit switch
                {
                    { } limit => string.Create(CultureInfo.InvariantCulture, $"at most {limit.PerSecond:0.######}/s"),
                    null when Budget?.Invoke() is not null => "as fast as its retry budget allows",
                    null => "at any rate, because no limit is set",
                });
                break;

            case LimiterActivity.Paused:
                LogPaused(point, reason);
                break;
        }
    }

    /// <summary>Notes that it has ended because it was asked to: nothing to be warned of.</summary>
    public void HasEnded()
    {
        Become(LimiterActivity.Down, "stopped");
        LogEnded(point);
    }

    private void Become(LimiterActivity activity, string? reason)
    {
        lock (_lock)
        {
            _activity = activity;
            _since = time.GetUtcNow();
            _reason = reason;
        }
    }

    private static KeyValuePair<string, object?>[] LabelsOf(string cluster, string virtualHost, string point) =>
        [new(TelemetryNames.Labels.Cluster, cluster), new(TelemetryNames.Labels.VirtualHost, virtualHost), new(TelemetryNames.Labels.Point, point)];

    [LoggerMessage(LogEvents.LimiterDown, LogLevel.Warning, "{Queue}: this process has no active limiter, and without one no message is redelivered: {Reason}")]
    private partial void LogDown(string queue, string? reason);

    [LoggerMessage(LogEvents.LimiterEnded, LogLevel.Information, "{Queue}: the limiter of this process has ended")]
    private partial void LogEnded(string queue);

    [LoggerMessage(LogEvents.LimiterStandingBy, LogLevel.Information, "{Queue}: the limiter stands by")]
    private partial void LogStandingBy(string queue);

    [LoggerMessage(LogEvents.LimiterActive, LogLevel.Information, "{Queue}: this is the active limiter now; it releases {Rate}")]
    private partial void LogActive(string queue, string rate);

    [LoggerMessage(LogEvents.LimiterPaused, LogLevel.Warning, "{Queue}: redelivery is {Reason}")]
    private partial void LogPaused(string queue, string? reason);

    [LoggerMessage(LogEvents.RateHalved, LogLevel.Warning, "{Queue}: the target asks to be called less often, so the rate of redeliveries is halved to {PerSecond}/s, and comes back to {Cap}/s by and by")]
    private partial void LogHalved(string queue, double perSecond, double cap);

    [LoggerMessage(LogEvents.LimiterUnheard, LogLevel.Warning, "{Queue}: no instance is heard that tells of successes, so the retry budget allows its floor and no more. Look whether each instance has a pulse in 'retryctl nodes', and whether the broker lets this user read " + BrokerNames.PulseExchange)]
    private partial void LogUnheard(string queue);

    [LoggerMessage(LogEvents.LimiterWaits, LogLevel.Warning, "{Queue}: the limiter holds its messages back: {Reason}")]
    private partial void LogWaits(string queue, string reason);
}
