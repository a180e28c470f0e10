namespace Retry.Messaging.RabbitMq.Pulse;

/// <summary>Counts what happens at a point anywhere in the cluster, as the pulses of its nodes tell. For one caller at a time.</summary>
/// <param name="queue">The work queue.</param>
/// <param name="count">What of it is counted: a number that only grows while a node lives.</param>
/// <param name="time">The clock.</param>
internal sealed class CountWatch(string queue, Func<PointPulse, long> count, TimeProvider time)
{
    // no process ends more attempts between two pulses; a pulse that says so is nonsense
    private const long MostAtOnce = 1_000_000;
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, (long At, long Count, long HeardAt)> _nodes = new(StringComparer.Ordinal);
    private readonly long _started = time.GetTimestamp();
    private long _heardAt = time.GetTimestamp();

    /// <summary>Gets a value indicating whether no node of the point has been heard for as long as none that lives is silent.</summary>
    public bool IsUnheard => time.GetElapsedTime(_heardAt) > PulseNodes.Silence;

    /// <summary>Takes in a pulse.</summary>
    /// <returns>How much the count of this node has grown since its last one. Of a node that was there before the first
    /// that was heard of it tells nothing.</returns>
    public long Hear(PulseDocument pulse)
    {
        if (pulse.Points.FirstOrDefault(point => point.Queue == queue) is not { } point)
        {
            return 0;
        }

        var now = time.GetTimestamp();
        var isKnown = _nodes.TryGetValue(pulse.Node, out var before);
        if (isKnown && pulse.At <= before.At)
        {
            return 0;
        }

        var counted = count(point);
        _heardAt = now;
        _nodes[pulse.Node] = (pulse.At, counted, now);
        if (!isKnown)
        {
            ForgetSilent();
            before.Count = pulse.At < time.GetElapsedTime(_started).TotalMilliseconds ? 0 : counted;
        }

        return Math.Clamp(counted - before.Count, 0, MostAtOnce);
    }

    private void ForgetSilent()
    {
        foreach (var (node, _) in _nodes.Where(node => time.GetElapsedTime(node.Value.HeardAt) > Memory).ToList())
        {
            _nodes.Remove(node);
        }
    }
}
