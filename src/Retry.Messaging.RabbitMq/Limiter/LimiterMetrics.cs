using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>The limiters of this process as metrics of the meter <c>Retry.Messaging</c>, by queue.</summary>
internal static class LimiterMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Retry.Messaging";

    private const string QueueTag = "queue";
    private static readonly Meter Meter = new(MeterName);
    private static readonly Counter<long> ReleasedCounter = Meter.CreateCounter<long>("retry.limiter.released", "{message}", "Messages moved from the release queue to the work queue.");
    private static readonly ConcurrentDictionary<LimiterMonitor, bool> Monitors = new();

    static LimiterMetrics()
    {
        Meter.CreateObservableGauge("retry.limiter.active", () => Each(static m => m.Status.Activity == LimiterActivity.Active ? 1 : 0), "{limiter}", "1 where this process has the active limiter.");
        Meter.CreateObservableGauge("retry.limiter.active_since", () => Each(static m => m.Status is { Activity: LimiterActivity.Active } status ? status.Since.ToUnixTimeSeconds() : null), "s", "When this process's limiter became the active one, in seconds since 1970.");
        Meter.CreateObservableGauge("retry.limiter.cap", () => Each(static m => m.Status.Limit?.PerSecond), "{message}/s", "The rate in force; absent where there is none.");
        Meter.CreateObservableGauge("retry.limiter.waiting", () => Each(static m => m.Waiting), "{message}", "Messages in the release queue when the active limiter last looked.");
        Meter.CreateObservableGauge("retry.limiter.oldest_age", () => Each(static m => m.OldestAge?.TotalSeconds), "s", "How long the message that is released next has been due.");
    }

    public static void Add(LimiterMonitor monitor) => Monitors[monitor] = true;

    public static void Remove(LimiterMonitor monitor) => Monitors.TryRemove(monitor, out _);

    public static void Released(string queue, int count) => ReleasedCounter.Add(count, new KeyValuePair<string, object?>(QueueTag, queue));

    private static List<Measurement<double>> Each(Func<LimiterMonitor, double?> value)
    {
        var all = new List<Measurement<double>>();
        foreach (var monitor in Monitors.Keys)
        {
            if (value(monitor) is { } measured)
            {
                all.Add(new Measurement<double>(measured, new KeyValuePair<string, object?>(QueueTag, monitor.Status.Point)));
            }
        }

        return all;
    }
}
