using System.Diagnostics.Metrics;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Naming;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Telemetry;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Telemetry;

/// <summary>A listener for metrics is somebody else's code. What it throws makes no second outcome of one that is confirmed.</summary>
public sealed class ThrowingListenerTests : IDisposable
{
    private static readonly Exception Failure = new TimeoutException();

    private readonly FakeTimeProvider _clock = new();
    private readonly RetryMetrics _metrics = new();
    private readonly MeterListener _listener = new();
    private int _measured;

    public ThrowingListenerTests()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == TelemetryNames.Meter)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, _, _, _) => Throw());
        _listener.SetMeasurementEventCallback<double>((_, _, _, _) => Throw());
        _listener.Start();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public void Nothing_of_it_reaches_the_attempt()
    {
        var point = _metrics.Point(this, "orders", _clock);

        point.Began(2, _clock.GetUtcNow());
        point.Done();
        point.Dropped(new TimeoutException());
        point.Climbed(ClimbCause.Failed(Failure), TimeSpan.FromSeconds(5));
        point.Climbed(ClimbCause.Early, TimeSpan.FromSeconds(5));
        point.Climbed(ClimbCause.Suspected, TimeSpan.FromSeconds(5));
        point.Parked(ParkReason.Exhausted, Failure);
        point.Parked(ParkReason.Poison, Failure);
        var publishing = point.Publishing();
        _clock.Advance(TimeSpan.FromMilliseconds(3));
        point.Confirmed(publishing);

        _measured.ShouldBeGreaterThan(10);
    }

    private void Throw()
    {
        _measured++;
        throw new InvalidOperationException("The exporter is broken.");
    }
}
