using Retry.Messaging.RabbitMq.Counting;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.RabbitMq.Pulse;

/// <summary>Makes pulses of what the points of a process count. For one caller.</summary>
/// <param name="node">The process.</param>
/// <param name="by">Its host and process id.</param>
/// <param name="points">The points.</param>
/// <param name="time">The clock.</param>
internal sealed class PulseSource(string node, string by, Func<ICollection<PointTelemetry>> points, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private readonly Dictionary<PointTelemetry, Taken> _taken = [];

    // an attempt that ends must not make up for another that begins
    private const long Weight = 1_000_003;

    /// <summary>Changes when something happens.</summary>
    public long Activity => points().Sum(point => (Weight * (point.Counts.Ended + (point.Health.Back?.Invoke() ?? 0))) + point.Counts.InFlight);

    /// <summary>Makes the next pulse.</summary>
    public PulseDocument Next()
    {
        var now = time.GetUtcNow();
        return new PulseDocument(
            node,
            by,
            (long)time.GetElapsedTime(_started).TotalMilliseconds,
            [.. points().OrderBy(point => point.Queue, StringComparer.Ordinal).Select(point => Of(point, now))]);
    }

    private PointPulse Of(PointTelemetry point, DateTimeOffset now)
    {
        if (!_taken.TryGetValue(point, out var taken))
        {
            _taken[point] = taken = new Taken();
        }

        var counts = point.Counts;
        return new PointPulse(point.Queue)
        {
            Done = counts.Done,
            Error = counts.Error,
            Fail = counts.Fail,
            TimedOut = counts.TimedOut,
            NotOfTarget = counts.NotOfTarget,
            Slow = counts.Slow,
            InFlight = counts.InFlight,
            Held = point.Health.Held.Count,
            Back = point.Health.Back?.Invoke(),
            ConsumerTime = OrNull(counts.ConsumerTime.Take(taken.ConsumerTime)),
            Lateness = OrNull(counts.Lateness.Take(taken.Lateness)),
            Climbing = OrNull([.. counts.Climbs.WaitingAt(now).Select(wait => RungPulse.Of(wait, now))]),
        };
    }

    private static IReadOnlyList<T>? OrNull<T>(IReadOnlyList<T> list) => list.Count == 0 ? null : list;

    private sealed class Taken
    {
        public int[] ConsumerTime { get; } = new int[TimeDistribution.Buckets];

        public int[] Lateness { get; } = new int[TimeDistribution.Buckets];
    }
}
