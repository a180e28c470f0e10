using Retry.Messaging.Breaker;

namespace Retry.Messaging.Tests.Breaker;

/// <summary>
/// Nodes that share the messages of a point, on virtual time: each reports what happened once a second, late by up to 300 ms, and two reports in a hundred
/// are lost. Whoever hears a report asks the rule.
/// </summary>
internal sealed class SimulatedCluster
{
    private const double Lost = 0.02;
    private const double LateAtMost = 0.3;

    private readonly Random _random;
    private readonly double _perSecond;
    private readonly SimulatedNode[] _nodes;
    private readonly double _weight;
    private readonly Dictionary<string, NodeOutcomes> _heard;
    private readonly PriorityQueue<(SimulatedNode Node, OutcomeCount Outcomes), double> _reports = new();

    public SimulatedCluster(int seed, double perSecond, IEnumerable<SimulatedNode> nodes)
    {
        _random = new Random(seed);
        _perSecond = perSecond;
        _nodes = [.. nodes];
        _weight = _nodes.Sum(node => node.Share);
        _heard = Enumerable.Range(0, _nodes.Length).ToDictionary(Name, _ => new NodeOutcomes());
    }

    /// <summary>Gets the attempts since the outage began.</summary>
    public int AttemptsOfOutage { get; private set; }

    /// <summary>Gets when the twelfth attempt since the outage began had failed.</summary>
    public double? TwelfthError { get; private set; }

    /// <summary>Gets when each node was found ill for the first time.</summary>
    public Dictionary<string, double> IllSince { get; } = [];

    public static string Name(int node) => $"n{node}";

    /// <summary>Runs until the circuit opens.</summary>
    /// <param name="seconds">For how long at most.</param>
    /// <param name="outage">When the target goes down, if it does.</param>
    /// <returns>When it opened; <see langword="null"/> where it did not.</returns>
    public double? Run(double seconds, double? outage = null)
    {
        var nextAttempt = Gap();
        var nextReport = Enumerable.Range(0, _nodes.Length).Select(_ => _random.NextDouble()).ToArray();
        while (true)
        {
            var reporter = Array.IndexOf(nextReport, nextReport.Min());
            var heard = _reports.TryPeek(out _, out var at) ? at : double.MaxValue;
            var now = Math.Min(heard, Math.Min(nextAttempt, nextReport[reporter]));
            if (now > seconds)
            {
                return null;
            }

            if (now == heard)
            {
                if (Hear(now))
                {
                    return now;
                }
            }
            else if (now == nextAttempt)
            {
                Attempt(outage <= now, now);
                nextAttempt += Gap();
            }
            else
            {
                Report(_nodes[reporter], now);
                nextReport[reporter] += 1;
            }
        }
    }

    private double Gap() => -Math.Log(1 - _random.NextDouble()) / _perSecond;

    private void Attempt(bool targetIsDown, double now)
    {
        var drawn = _random.NextDouble() * _weight;
        var node = _nodes.First(node => (drawn -= node.Share) < 0);
        var failed = targetIsDown || _random.NextDouble() < node.ErrorRate;
        node.Unreported += failed ? new OutcomeCount(1, 0) : new OutcomeCount(0, 1);
        if (targetIsDown && ++AttemptsOfOutage == 12)
        {
            TwelfthError = now;
        }
    }

    private void Report(SimulatedNode node, double now)
    {
        if (node.Unreported.Total > 0 && _random.NextDouble() >= Lost)
        {
            _reports.Enqueue((node, node.Unreported), now + (_random.NextDouble() * LateAtMost));
        }

        node.Unreported = default;
    }

    private bool Hear(double now)
    {
        var (node, outcomes) = _reports.Dequeue();
        _heard[Name(Array.IndexOf(_nodes, node))].Add((long)now, outcomes);
        var verdict = BreakerRule.Judge(_heard, (long)now);
        foreach (var ill in verdict.Nodes.Keys)
        {
            IllSince.TryAdd(ill, now);
        }

        return verdict.Target is not null;
    }
}

/// <summary>A node of the simulation.</summary>
/// <param name="share">How many messages it takes, compared with the others.</param>
/// <param name="errorRate">How many of its attempts fail while the target is well.</param>
internal sealed class SimulatedNode(double share, double errorRate)
{
    public double Share => share;

    public double ErrorRate => errorRate;

    public OutcomeCount Unreported { get; set; }
}
