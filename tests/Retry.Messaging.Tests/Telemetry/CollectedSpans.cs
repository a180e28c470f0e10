using System.Collections.Concurrent;
using System.Diagnostics;

namespace Retry.Messaging.Tests.Telemetry;

/// <summary>The spans of MassTransit and graded retry in this process, as an exporter would get them.</summary>
internal sealed class CollectedSpans : IDisposable
{
    private readonly ActivityListener _listener;
    private readonly ConcurrentQueue<Activity> _ended = new();

    public CollectedSpans()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Retry.Messaging" or "MassTransit" or "test",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>The ended spans of one trace, oldest first.</summary>
    public IReadOnlyList<Activity> Of(ActivityTraceId trace) => [.. _ended.Where(span => span.TraceId == trace).OrderBy(span => span.StartTimeUtc)];

    /// <summary>The ended spans with this name, whatever their trace.</summary>
    public IReadOnlyList<Activity> Named(string name) => [.. _ended.Where(span => span.DisplayName == name).OrderBy(span => span.StartTimeUtc)];

    public void Dispose() => _listener.Dispose();
}
