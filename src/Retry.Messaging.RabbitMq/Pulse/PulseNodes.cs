namespace Retry.Messaging.RabbitMq.Pulse;

/// <summary>The nodes that have said something lately, and whether what they call looks ill. For one caller at a time.</summary>
internal sealed class PulseNodes(TimeProvider time)
{
    /// <summary>How long a node counts that says nothing: an idle one says something every five seconds.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(12);

    private readonly Dictionary<string, HeardNode> _nodes = new(StringComparer.Ordinal);
    private TargetWatch _targets = new(time);

    /// <summary>What it is that they say.</summary>
    public TargetWatch Targets => _targets;

    /// <summary>Takes in a pulse. One that comes out of turn is passed over.</summary>
    /// <param name="pulse">The pulse.</param>
    /// <param name="heardAt">When it was heard, as a timestamp.</param>
    /// <param name="at">When it was heard.</param>
    public void Hear(PulseDocument pulse, long heardAt, DateTimeOffset at)
    {
        if (!_nodes.TryGetValue(pulse.Node, out var before))
        {
            _nodes[pulse.Node] = new HeardNode(pulse, null, heardAt, at);
        }
        else if (pulse.At > before.Last.At)
        {
            _nodes[pulse.Node] = new HeardNode(pulse, before.Last, heardAt, at);
            _targets.Hear(before.Last, pulse);
        }
    }

    /// <summary>Those that have said something lately; the others are forgotten.</summary>
    public IReadOnlyCollection<HeardNode> Current()
    {
        foreach (var (node, _) in _nodes.Where(node => time.GetElapsedTime(node.Value.HeardAt) > Silence).ToList())
        {
            _nodes.Remove(node);
            _targets.Forget(node);
        }

        return _nodes.Values;
    }

    /// <summary>Forgets how attempts have ended so far, and nothing else.</summary>
    public void ForgetOutcomes() => _targets = new TargetWatch(time);
}

/// <summary>What a node has said.</summary>
/// <param name="Last">What it said last.</param>
/// <param name="Before">What it said before that.</param>
/// <param name="HeardAt">When the last was heard, as a timestamp.</param>
/// <param name="At">When the last was heard.</param>
internal sealed record HeardNode(PulseDocument Last, PulseDocument? Before, long HeardAt, DateTimeOffset At);
