using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Retry.Messaging.Naming;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>The limiters of this process as metrics of the meter <c>Retry.Messaging</c>, by cluster, virtual host and point.</summary>
internal static class LimiterMetrics
{
    private static readonly Meter Meter = new(TelemetryNames.Meter);
    private static readonly Counter<long> ReleasedCounter = Meter.CreateCounter<long>(
        TelemetryNames.LimiterReleased,
        "{message}",
        "Messages moved from the release queue to the work queue.");
    private static readonly ConcurrentDictionary<LimiterMonitor, bool> Monitors = new();

    static LimiterMetrics()
    {
        Meter.CreateObservableGauge(
            TelemetryNames.LimiterActive,
            () => Each(static m => m.Status.Activity == LimiterActivity.Active ? 1 : 0),
            "{limiter}",
            "1 where this process has the active limiter.");
        Meter.CreateObservableGauge(
            TelemetryNames.LimiterActiveSince,
            () => Each(static m => m.Status is { Activity: LimiterActivity.Active } status ? status.Since.ToUnixTimeSeconds() : null),
            "s",
            "When this process's limiter became the active one, in seconds since 1970.");
        Meter.CreateObservableGauge(
            TelemetryNames.LimiterCap,
            () => Each(static m => m.Status.Limit?.PerSecond),
            "{message}/s",
            "The rate in force; absent where there is none.");
        Meter.CreateObservableGauge(
            TelemetryNames.LimiterWaiting,
            () => Each(static m => m.Waiting),
            "{message}",
            "Messages in the release queue when the active limiter last looked.");
        Meter.CreateObservableGauge(
            TelemetryNames.LimiterBudget,
            () => Each(static m => m.Status.Activity == LimiterActivity.Active ? m.Budget?.Invoke() : null),
            "{message}",
            "Messages that the retry budget allows at once; below 1 they wait for successes. Absent where there is no budget.");
        Meter.CreateObservableGauge(
            TelemetryNames.LimiterOldestAge,
            () => Each(static m => m.OldestAge?.TotalSeconds),
            "s",
            "How long the message that is released next has been due.");
    }

    public static void Add(LimiterMonitor monitor) => Monitors[monitor] = true;

    public static void Remove(LimiterMonitor monitor) => Monitors.TryRemove(monitor, out _);

    public static void Released(LimiterMonitor monitor, int count) => ReleasedCounter.Add(count, monitor.Labels);

    private static List<Measurement<double>> Each(Func<LimiterMonitor, double?> value)
    {
        var all = new List<Measurement<double>>();
        foreach (var monitor in Monitors.Keys)
        {
            if (value(monitor) is { } measured)
            {
                all.Add(new Measurement<double>(measured, monitor.Labels));
            }
        }

        return all;
    }
}
