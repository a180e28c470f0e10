using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Retry.Messaging.Naming;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Scheduled messages as metrics of the meter <c>Retry.Messaging</c>, by cluster and virtual host.</summary>
internal static class ScheduleMetrics
{
    private static readonly double[] LatenessBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600];
    private static readonly Meter Meter = new(TelemetryNames.Meter);

    private static readonly Counter<long> ScheduledCounter = Meter.CreateCounter<long>(
        TelemetryNames.ScheduleScheduled,
        "{message}",
        "Messages that this process sent with a delay, and the broker has.");

    private static readonly Counter<long> DispatchedCounter = Meter.CreateCounter<long>(
        TelemetryNames.ScheduleDispatched,
        "{message}",
        "Scheduled messages that this process's dispatcher handed over, by what became of them.");

    private static readonly Counter<long> CancelCounter = Meter.CreateCounter<long>(
        TelemetryNames.ScheduleCancels,
        "{cancel}",
        "Cancels of scheduled messages, by what became of them.");

    private static readonly Histogram<double> LatenessHistogram = Meter.CreateHistogram(
        TelemetryNames.ScheduleLateness,
        "s",
        "How long after it was due the destination had a scheduled message.",
        tags: null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = LatenessBounds });

    private static readonly ConcurrentDictionary<DispatchReporter, bool> Reporters = new();

    static ScheduleMetrics() => Meter.CreateObservableGauge(
        TelemetryNames.ScheduleActive,
        static () => Reporters.Keys.Select(reporter => new Measurement<int>(reporter.Status.Activity == DispatchActivity.Active ? 1 : 0, reporter.Labels)),
        "{dispatcher}",
        "1 where this process has the active dispatcher.");

    /// <summary>Labels by where a message is.</summary>
    public static KeyValuePair<string, object?>[] Labels(string cluster, string virtualHost) =>
        [new(TelemetryNames.Labels.Cluster, cluster), new(TelemetryNames.Labels.VirtualHost, virtualHost)];

    public static void Add(DispatchReporter reporter) => Reporters[reporter] = true;

    public static void Remove(DispatchReporter reporter) => Reporters.TryRemove(reporter, out _);

    /// <summary>A message was scheduled.</summary>
    public static void Scheduled(KeyValuePair<string, object?>[] labels) => ScheduledCounter.Add(1, labels);

    /// <summary>A message reached its destination.</summary>
    public static void Delivered(KeyValuePair<string, object?>[] labels, TimeSpan lateness)
    {
        Dispatched(labels, "delivered");
        // two clocks may make it less than zero
        LatenessHistogram.Record(Math.Max(0, lateness.TotalSeconds), labels);
    }

    /// <summary>A message left the dispatcher for elsewhere: <c>lost</c>, or <c>again</c>, up the ladder since its destination did not take it.</summary>
    public static void Dispatched(KeyValuePair<string, object?>[] labels, string outcome) =>
        DispatchedCounter.Add(1, [.. labels, new(TelemetryNames.Labels.Outcome, outcome)]);

    /// <summary>Something became of a cancel.</summary>
    public static void Cancelled(KeyValuePair<string, object?>[] labels, string outcome) =>
        CancelCounter.Add(1, [.. labels, new(TelemetryNames.Labels.Outcome, outcome)]);
}
