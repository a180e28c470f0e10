using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Health;

namespace Retry.Messaging.RabbitMq.Telemetry;

/// <summary>The instruments of the meter <c>Retry.Messaging</c>; docs/telemetry.md describes each.</summary>
internal sealed class RetryMetrics : IDisposable
{
    // from one rung of the ladder to all of them
    private static readonly double[] DelayBounds = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400, 864_000];
    private static readonly double[] LatenessBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600];
    private static readonly double[] ConfirmBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    private readonly ConcurrentDictionary<(object Bus, string Queue), PointTelemetry> _points = new();
    private readonly Meter? _own;

    /// <summary>Creates the instruments.</summary>
    /// <param name="meters">Where the meter comes from; <see langword="null"/> for one of its own, where the host has no metrics.</param>
    public RetryMetrics(IMeterFactory? meters = null)
    {
        var options = new MeterOptions(TelemetryNames.Meter) { Version = LibraryVersion.Text };
        var meter = meters?.Create(options) ?? (_own = new Meter(options));
        Attempts = meter.CreateCounter<long>(TelemetryNames.Attempts, "{attempt}", "Attempts whose outcome was recorded.");
        Retries = meter.CreateCounter<long>(TelemetryNames.Retries, "{message}", "Messages sent up the ladder to be tried again.");
        Parked = meter.CreateCounter<long>(TelemetryNames.Parked, "{message}", "Messages sent to a parking lot.");
        Dropped = meter.CreateCounter<long>(
            TelemetryNames.Dropped,
            "{request}",
            "Requests dropped because their requester will have given up before the next attempt.");
        Early = meter.CreateCounter<long>(TelemetryNames.Early, "{delivery}", "Deliveries that came before they were due and climbed again.");
        Crashes = meter.CreateCounter<long>(
            TelemetryNames.Crashes,
            "{delivery}",
            "Deliveries not consumed because they were suspected of killing their consumer.");
        Idempotency = meter.CreateCounter<long>(
            TelemetryNames.Idempotency,
            "{delivery}",
            "Deliveries to idempotent consumers, by what the store knew of their keys.");
        Delay = meter.CreateHistogram(
            TelemetryNames.Delay,
            "s",
            "The delay before the next attempt.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = DelayBounds });
        Lateness = meter.CreateHistogram(
            TelemetryNames.Lateness,
            "s",
            "How long after its due time an attempt began.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = LatenessBounds });
        ConfirmDuration = meter.CreateHistogram(
            TelemetryNames.ConfirmDuration,
            "s",
            "From the publish of an outcome to its confirm.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = ConfirmBounds });
        meter.CreateObservableUpDownCounter(
            TelemetryNames.Held,
            () => _points.Values.Select(point => point.MeasureHeld()).OfType<Measurement<long>>(),
            "{message}",
            "Outcomes held because the broker does not confirm them.");
        meter.CreateObservableGauge(
            TelemetryNames.CircuitState,
            () => _points.Values.Select(point => point.MeasureCircuit(circuit => circuit.State)).OfType<Measurement<int>>(),
            "{state}",
            "What the circuit lets through: 0 everything, 1 one probe in an interval, 2 a few, 3 more each second.");
        meter.CreateObservableGauge(
            TelemetryNames.CircuitWaiting,
            () => _points.Values.Select(point => point.MeasureCircuit(circuit => circuit.Waiting)).OfType<Measurement<int>>(),
            "{delivery}",
            "Deliveries that wait in this process until they may begin.");
        meter.CreateObservableGauge(
            TelemetryNames.CircuitApart,
            () => _points.Values.Select(point => point.MeasureCircuit(circuit => circuit.IsApart ? 1 : 0)).OfType<Measurement<int>>(),
            "{state}",
            "Whether this process is ill and takes no messages: 1, otherwise 0.");
    }

    public Counter<long> Attempts { get; }

    public Counter<long> Retries { get; }

    public Counter<long> Parked { get; }

    public Counter<long> Dropped { get; }

    public Counter<long> Early { get; }

    public Counter<long> Crashes { get; }

    public Counter<long> Idempotency { get; }

    public Histogram<double> Delay { get; }

    public Histogram<double> Lateness { get; }

    public Histogram<double> ConfirmDuration { get; }

    /// <summary>The one for a queue of a bus, also when its endpoint is connected a second time.</summary>
    public PointTelemetry Point(object bus, string queue, TimeProvider time) =>
        _points.GetOrAdd(
            (bus, queue),
            static (key, state) => new PointTelemetry(state.Metrics, new PointHealth(key.Queue, state.Time), state.Time),
            (Metrics: this, Time: time));

    public void Dispose() => _own?.Dispose();
}
