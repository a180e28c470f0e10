using Retry.Messaging.Breaker;

namespace Retry.Messaging.RabbitMq.Pulse;

/// <summary>Tells from what nodes say whether the target of a point looks ill, or only some of its nodes do. For one caller at a time.</summary>
internal sealed class TargetWatch(TimeProvider time)
{
    // no process ends more attempts between two pulses; a pulse that says so is nonsense
    private const long MostAtOnce = 1_000_000;

    private readonly Dictionary<string, Dictionary<string, NodeOutcomes>> _points = new(StringComparer.Ordinal);
    private readonly long _started = time.GetTimestamp();

    private long Second => (long)time.GetElapsedTime(_started).TotalSeconds;

    /// <summary>Takes in what happened between two pulses of a node.</summary>
    public void Hear(PulseDocument before, PulseDocument pulse)
    {
        foreach (var point in pulse.Points)
        {
            var earlier = before.Points.FirstOrDefault(other => other.Queue == point.Queue) ?? new PointPulse(point.Queue);
            var errors = Gain(earlier, point, counts => counts.Error + counts.TimedOut - counts.NotOfTarget);
            var answers = Gain(earlier, point, counts => counts.Done + counts.Fail);
            OutcomesOf(point.Queue, pulse.Node).Add(Second, new OutcomeCount(errors, answers));
        }
    }

    /// <summary>Judges the target of a point, and each of the nodes that serve it.</summary>
    /// <param name="queue">The work queue of the point.</param>
    /// <param name="nodes">The nodes that say something at the moment; what others said before no longer counts.</param>
    public BreakerVerdict Judge(string queue, IReadOnlyCollection<string> nodes) =>
        BreakerRule.Judge(nodes.ToDictionary(node => node, node => OutcomesOf(queue, node), StringComparer.Ordinal), Second);

    /// <summary>Forgets a node that says nothing any more.</summary>
    public void Forget(string node)
    {
        foreach (var point in _points.Values)
        {
            point.Remove(node);
        }
    }

    private static int Gain(PointPulse earlier, PointPulse now, Func<PointPulse, long> count) =>
        (int)Math.Clamp(count(now) - count(earlier), 0, MostAtOnce);

    private NodeOutcomes OutcomesOf(string queue, string node)
    {
        if (!_points.TryGetValue(queue, out var nodes))
        {
            _points[queue] = nodes = new(StringComparer.Ordinal);
        }

        if (!nodes.TryGetValue(node, out var outcomes))
        {
            nodes[node] = outcomes = new NodeOutcomes();
        }

        return outcomes;
    }
}
