using Retry.Messaging.RabbitMq.Counting;
using Retry.Messaging.RabbitMq.Pulse;

namespace Retry.Messaging.Operations.Pulse;

/// <summary>Puts together what the nodes say, pulse by pulse.</summary>
internal sealed class PulseBoard(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly PulseNodes _nodes = new(time);
    private readonly Dictionary<string, (byte[] Pulse, long HeardAt, DateTimeOffset At)> _unread = new(StringComparer.Ordinal);

    /// <summary>The nodes that have said something lately, by their ids.</summary>
    public IReadOnlyList<string> Nodes => [.. Current().Select(node => node.Last.Node)];

    /// <summary>Takes in a pulse. It is read when somebody looks, if it is the last of its node by then: reading is what costs.</summary>
    /// <param name="node">Who says it.</param>
    /// <param name="pulse">The bytes of it.</param>
    public void Hear(string node, byte[] pulse)
    {
        lock (_lock)
        {
            _unread[node] = (pulse, time.GetTimestamp(), time.GetUtcNow());
        }
    }

    /// <summary>What each point does, by name.</summary>
    public IReadOnlyList<PointActivity> Points()
    {
        var said = Current().SelectMany(node => node.Last.Points.Select(point => (Node: node, Point: point)));
        return
        [
            .. said.GroupBy(one => one.Point.Queue, StringComparer.Ordinal)
                .OrderBy(point => point.Key, StringComparer.Ordinal)
                .Select(point => Sum(point.Key, [.. point]) with { Health = Judge(point.Key, [.. point]) }),
        ];
    }

    /// <summary>What one node says of what climbs, by point; <see langword="null"/> where it has said nothing lately.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<RungWait>>? ClimbingOf(string node) =>
        Current().FirstOrDefault(one => one.Last.Node == node) is { } heard
            ? heard.Last.Points.ToDictionary(point => point.Queue, point => Climbing(heard, point), StringComparer.Ordinal)
            : null;

    private List<HeardNode> Current()
    {
        lock (_lock)
        {
            foreach (var (pulse, heardAt, at) in _unread.Values)
            {
                if (PulseDocument.Read(pulse) is { } read)
                {
                    _nodes.Hear(read, heardAt, at);
                }
            }

            _unread.Clear();
            return [.. _nodes.Current()];
        }
    }

    private TargetHealth Judge(string queue, IReadOnlyList<(HeardNode Node, PointPulse Point)> said)
    {
        lock (_lock)
        {
            return TargetHealth.Of(
                _nodes.Targets.Judge(queue, [.. said.Select(one => one.Node.Last.Node)]),
                said.ToDictionary(one => one.Node.Last.Node, one => one.Node.Last.By));
        }
    }

    private static PointActivity Sum(string queue, IReadOnlyList<(HeardNode Node, PointPulse Point)> said) => new(queue, said.Count)
    {
        Done = Rate(said, point => point.Done),
        Error = Rate(said, point => point.Error),
        Fail = Rate(said, point => point.Fail),
        TimedOut = Rate(said, point => point.TimedOut),
        InFlight = said.Sum(one => one.Point.InFlight),
        Held = said.Sum(one => one.Point.Held),
        Median = TimeDistribution.Percentile(said.Select(one => one.Point.ConsumerTime ?? []), 0.5),
        Slow = TimeDistribution.Percentile(said.Select(one => one.Point.ConsumerTime ?? []), 0.95),
        Late = TimeDistribution.Percentile(said.Select(one => one.Point.Lateness ?? []), 0.95),
        Climbing =
        [
            .. said.SelectMany(one => Climbing(one.Node, one.Point))
                .GroupBy(wait => (wait.Level, wait.Digit))
                .Select(rung => rung.Aggregate((one, other) => one.And(other)))
                .OrderBy(wait => wait.Level)
                .ThenByDescending(wait => wait.Digit),
        ],
    };

    private static double? Rate(IEnumerable<(HeardNode Node, PointPulse Point)> said, Func<PointPulse, long> count)
    {
        double? sum = null;
        foreach (var (node, point) in said)
        {
            if (node.Before is { } before)
            {
                var counted = count(point) - (before.Points.FirstOrDefault(other => other.Queue == point.Queue) is { } earlier ? count(earlier) : 0);
                sum = (sum ?? 0) + (Math.Max(counted, 0) * 1000.0 / (node.Last.At - before.At));
            }
        }

        return sum;
    }

    private static IReadOnlyList<RungWait> Climbing(HeardNode node, PointPulse point) =>
        [.. (point.Climbing ?? []).Select(rung => rung?.Read(node.At)).OfType<RungWait>()];
}
