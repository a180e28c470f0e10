using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Retry.Messaging.Naming;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>What a limiter says of itself, held against what a plain client sees.</summary>
[Collection(OperatorBroker.Name)]
public sealed class MetricsTests(BrokerFixture broker)
{
    private const int Cap = 20;
    private const int Messages = 400;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Overdue = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Waiting_age_released_cap_and_who_is_active()
    {
        var before = DateTimeOffset.UtcNow;
        await using var point = await LimitedPoint.CreateAsync(await broker.CreateVirtualHostAsync());
        using var seen = new Measurements(point.Broker.AbsolutePath.Trim('/'));
        await point.FillAsync(Messages, more: properties => properties.Headers!["retry-due-at"] = (before - Overdue).ToUnixTimeMilliseconds());
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        point.Start(Cap, instances: 2);
        await arrivals.WaitForAsync(Cap, Deadline);

        await Eventually.TrueAsync(() => seen.Look().GetValueOrDefault(TelemetryNames.LimiterWaiting) is { Count: 1 }, Deadline);

        var gauges = seen.Look();
        gauges[TelemetryNames.LimiterActive].Order().ShouldBe([0, 1]);
        gauges[TelemetryNames.LimiterActiveSince].Single().ShouldBeInRange(before.ToUnixTimeSeconds(), DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        gauges[TelemetryNames.LimiterCap].ShouldBe([Cap, Cap]);
        // what the active one holds in advance is not in the queue
        gauges[TelemetryNames.LimiterWaiting].Single().ShouldBeInRange(Messages / 2, Messages);
        gauges[TelemetryNames.LimiterOldestAge].Single().ShouldBeInRange(Overdue.TotalSeconds, (Overdue + (DateTimeOffset.UtcNow - before)).TotalSeconds);

        await point.StopAsync();
        seen.Released.ShouldBe(arrivals.Count);
        seen.Look().ShouldBeEmpty();
    }

    [Fact]
    public async Task Nothing_waits_and_nothing_grows_older_when_all_is_released()
    {
        await using var point = await LimitedPoint.CreateAsync(await broker.CreateVirtualHostAsync());
        using var seen = new Measurements(point.Broker.AbsolutePath.Trim('/'));
        await point.FillAsync(Cap, more: properties => properties.Headers!["retry-due-at"] = (DateTimeOffset.UtcNow - Overdue).ToUnixTimeMilliseconds());
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        point.Start(10 * Cap, instances: 1);
        await arrivals.WaitForAsync(Cap, Deadline);

        var gauges = seen.Look();
        await Eventually.TrueAsync(
            () => !(gauges = seen.Look()).ContainsKey(TelemetryNames.LimiterOldestAge) && gauges[TelemetryNames.LimiterWaiting].Single() <= 0,
            Deadline,
            () => $"age {string.Join(',', gauges.GetValueOrDefault(TelemetryNames.LimiterOldestAge, []))} s, waiting {gauges[TelemetryNames.LimiterWaiting].Single()}");

        seen.Look()[TelemetryNames.LimiterActive].ShouldBe([1]);
    }

    /// <summary>What the instruments say of one virtual host.</summary>
    private sealed class Measurements : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly string _virtualHost;
        private ConcurrentDictionary<string, ConcurrentBag<double>> _gauges = new();
        private long _released;

        public Measurements(string virtualHost)
        {
            _virtualHost = virtualHost;
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == TelemetryNames.Meter)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
            {
                if (IsHere(tags))
                {
                    _gauges.GetOrAdd(instrument.Name, static _ => []).Add(value);
                }
            });
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            {
                if (instrument.Name == TelemetryNames.LimiterReleased && IsHere(tags))
                {
                    Interlocked.Add(ref _released, value);
                }
            });
            _listener.Start();
        }

        public long Released => Interlocked.Read(ref _released);

        public Dictionary<string, List<double>> Look()
        {
            _gauges = new ConcurrentDictionary<string, ConcurrentBag<double>>();
            _listener.RecordObservableInstruments();
            return _gauges.ToDictionary(gauge => gauge.Key, gauge => gauge.Value.ToList());
        }

        public void Dispose() => _listener.Dispose();

        private bool IsHere(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var labels = tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value as string);
            return labels.GetValueOrDefault("vhost") == _virtualHost && labels.GetValueOrDefault("point") == "work" && labels.GetValueOrDefault("cluster") is { Length: > 0 };
        }
    }
}
