using System.Diagnostics;
using System.Diagnostics.Metrics;
using Retry.Messaging.Naming;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Counting;
using Retry.Messaging.RabbitMq.Health;

namespace Retry.Messaging.RabbitMq.Telemetry;

/// <summary>What one retry point counts and measures.</summary>
/// <remarks>Most messages succeed, and most processes have nobody listening: each method asks its instrument first, and then allocates nothing.</remarks>
internal sealed class PointTelemetry(RetryMetrics metrics, PointHealth health, TimeProvider time)
{
    private Place? _place;

    public PointHealth Health => health;

    public string Queue => health.Queue;

    /// <summary>What is counted for whoever listens to the pulse.</summary>
    public PointCounts Counts { get; } = new();

    /// <summary>Tells where the point's messages come from; known with the first connection.</summary>
    public void IsAt(string cluster, string virtualHost)
    {
        if (_place is not { } place || place.Cluster != cluster || place.VirtualHost != virtualHost)
        {
            _place = new Place(cluster, virtualHost);
        }
    }

    /// <summary>An attempt begins.</summary>
    /// <returns>The moment, for <see cref="Ended"/>.</returns>
    public long Began(int attempt, DateTimeOffset? dueAt)
    {
        RetryTracing.TagAttempt(attempt);
        Counts.Begin();
        if (dueAt is { } due)
        {
            // what is less than zero is the difference between two clocks
            var late = time.GetUtcNow() - due;
            Counts.Lateness.Add(late);
            if (metrics.Lateness.Enabled)
            {
                Record(metrics.Lateness, Math.Max(late.TotalSeconds, 0));
            }
        }

        return time.GetTimestamp();
    }

    /// <summary>An attempt has ended, whatever becomes of its message.</summary>
    public void Ended(long began) => Counts.End(time.GetElapsedTime(began));

    public void Done()
    {
        Counts.CountDone();
        Count(metrics.Attempts, TelemetryNames.Labels.Outcome, AttemptOutcome.Done);
    }

    public void Dropped(Exception exception)
    {
        Counts.CountError(exception is TimeoutException);
        Count(metrics.Attempts, TelemetryNames.Labels.Outcome, AttemptOutcome.Dropped);
        Count(metrics.Dropped);
    }

    public void Climbed(ClimbCause cause, TimeSpan delay)
    {
        if (cause == ClimbCause.Early)
        {
            Count(metrics.Early);
        }
        else if (cause == ClimbCause.Suspected)
        {
            Count(metrics.Crashes);
        }
        else if (cause != ClimbCause.Postponed && cause != ClimbCause.CameBy)
        {
            CountAgain(cause);
            Count(metrics.Attempts, TelemetryNames.Labels.Outcome, AttemptOutcome.Retried);
            Count(metrics.Retries, TelemetryNames.Labels.ErrorType, cause.ErrorType);
            if (metrics.Delay.Enabled)
            {
                Record(metrics.Delay, delay.TotalSeconds);
            }
        }
    }

    public void Parked(ParkReason reason, Exception exception)
    {
        if (reason == ParkReason.Poison)
        {
            Count(metrics.Crashes);
        }
        else
        {
            CountLast(reason, exception);
            Count(metrics.Attempts, TelemetryNames.Labels.Outcome, AttemptOutcome.Parked);
        }

        if (metrics.Parked.Enabled)
        {
            var labels = Labels();
            labels.Add(TelemetryNames.Labels.Reason, reason.Name);
            labels.Add(TelemetryNames.Labels.ErrorType, exception.GetType().FullName);
            Add(metrics.Parked, labels);
        }
    }

    /// <summary>What an idempotent consumer's store knew of a delivery.</summary>
    public void Recognized(string outcome) => Count(metrics.Idempotency, TelemetryNames.Labels.Outcome, outcome);

    /// <summary>The moment before a publish, for <see cref="Confirmed"/>; 0 when nothing listens to the instrument.</summary>
    public long Publishing() => metrics.ConfirmDuration.Enabled ? time.GetTimestamp() : 0;

    public void Confirmed(long publishing)
    {
        if (publishing != 0 && metrics.ConfirmDuration.Enabled)
        {
            Record(metrics.ConfirmDuration, time.GetElapsedTime(publishing).TotalSeconds);
        }
    }

    /// <summary>Measures the circuit of the point, where it has one.</summary>
    public Measurement<int>? MeasureCircuit(Func<(int State, int Waiting, bool IsApart), int> value) =>
        _place is not null && health.Circuit?.Invoke() is { } circuit ? new Measurement<int>(value(circuit), Labels()) : null;

    public Measurement<long>? MeasureHeld() => _place is null ? null : new Measurement<long>(health.Held.Count, Labels());

    // a consumer that asks for another attempt has not failed
    private void CountAgain(ClimbCause cause)
    {
        if (cause == ClimbCause.Asked)
        {
            Counts.CountDone();
        }
        else
        {
            Counts.CountError(cause.IsTimeout);
        }
    }

    private void CountLast(ParkReason reason, Exception exception)
    {
        if (reason == ParkReason.Exhausted || reason == ParkReason.Expired || reason == ParkReason.SwitchedOff)
        {
            Counts.CountError(exception is TimeoutException);
        }
        else
        {
            Counts.CountFail();
        }
    }

    private void Count(Counter<long> counter, string? label = null, string? value = null)
    {
        if (!counter.Enabled)
        {
            return;
        }

        var labels = Labels();
        if (value is not null)
        {
            labels.Add(label!, value);
        }

        Add(counter, labels);
    }

    // A listener is somebody else's code. What it throws must not make an outcome that is confirmed a second time.
#pragma warning disable CA1031
    private static void Add(Counter<long> counter, in TagList labels)
    {
        try
        {
            counter.Add(1, labels);
        }
        catch (Exception)
        {
        }
    }

    private void Record(Histogram<double> histogram, double value)
    {
        try
        {
            histogram.Record(value, Labels());
        }
        catch (Exception)
        {
        }
    }
#pragma warning restore CA1031

    private TagList Labels()
    {
        var labels = default(TagList);
        if (_place is { } place)
        {
            labels.Add(TelemetryNames.Labels.Cluster, place.Cluster);
            labels.Add(TelemetryNames.Labels.VirtualHost, place.VirtualHost);
        }

        labels.Add(TelemetryNames.Labels.Point, health.Queue);
        return labels;
    }

    private sealed record Place(string Cluster, string VirtualHost);
}
