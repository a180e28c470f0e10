using System.Globalization;
using Retry.Messaging.Breaker;

namespace Retry.Messaging.Tests.Breaker;

/// <summary>
/// Nodes that share the messages of a point, on virtual time: each reports what happened once a second, late by up to 300 ms, and two reports in a hundred
/// are lost. Whoever hears a report asks the rule, and sets nodes apart, which know it a fifth of a second later and then try themselves.
/// </summary>
internal sealed class SimulatedCluster
{
    private const double Lost = 0.02;
    private const double LateAtMost = 0.3;
    private const double Written = 0.2;

    private readonly Random _random;
    private readonly double _perSecond;
    private readonly SimulatedNode[] _nodes;
    private readonly Dictionary<string, NodeOutcomes> _heard;
    private readonly PriorityQueue<(SimulatedNode Node, OutcomeCount Outcomes), double> _reports = new();
    private readonly Queue<(double At, IReadOnlyList<ApartNode> Apart)> _told = new();
    private IReadOnlyList<ApartNode> _apart = [];
    private long _version;
    private int _messages;

    public SimulatedCluster(int seed, double perSecond, IEnumerable<SimulatedNode> nodes)
    {
        _random = new Random(seed);
        _perSecond = perSecond;
        _nodes = [.. nodes];
        _heard = Enumerable.Range(0, _nodes.Length).ToDictionary(Name, _ => new NodeOutcomes());
    }

    /// <summary>Gets the attempts since the outage began.</summary>
    public int AttemptsOfOutage { get; private set; }

    /// <summary>Gets when the twelfth attempt since the outage began had failed.</summary>
    public double? TwelfthError { get; private set; }

    /// <summary>Gets when each node was found ill for the first time.</summary>
    public Dictionary<string, double> IllSince { get; } = [];

    /// <summary>Gets which nodes were set apart, and when, each time.</summary>
    public List<(double At, int Node)> SetApart { get; } = [];

    /// <summary>Gets how many nodes were set apart at the same time, at the most.</summary>
    public int MostApart { get; private set; }

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
        while (_told.TryPeek(out var told) && told.At <= now)
        {
            _told.Dequeue();
            foreach (var one in _nodes)
            {
                one.Course.Name(told.Apart.FirstOrDefault(apart => apart.Node == NameOf(one))?.Number ?? 0, now);
            }
        }

        var prober = _nodes.FirstOrDefault(node => node.Course.IsDue(now));
        SimulatedNode[] taking = [.. _nodes.Where(node => !node.Course.IsApart)];
        var drawn = _random.NextDouble() * taking.Sum(node => node.Share);
        var node = prober ?? taking.First(node => (drawn -= node.Share) < 0);
        var failed = targetIsDown || _random.NextDouble() < node.ErrorRateAt(now);
        prober?.Course.Ended(!failed, $"{_messages++}", now);
        node.Began(now, prober is not null);
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

    private string NameOf(SimulatedNode node) => Name(Array.IndexOf(_nodes, node));

    private bool Hear(double now)
    {
        var (node, outcomes) = _reports.Dequeue();
        _heard[NameOf(node)].Add((long)now, outcomes);
        foreach (var back in _apart.Where(apart => _nodes.Any(one => NameOf(one) == apart.Node && one.Course.Back >= apart.Number)))
        {
            _heard[back.Node] = new NodeOutcomes();
        }

        var verdict = BreakerRule.Judge(_heard, (long)now);
        foreach (var ill in verdict.Nodes.Keys)
        {
            IllSince.TryAdd(ill, now);
        }

        var next = ApartRule.Next(_apart, _nodes.ToDictionary(NameOf, one => (long?)one.Course.Back), true, verdict.Nodes, _version + 1);
        if (!next.SequenceEqual(_apart))
        {
            SetApart.AddRange(next.Except(_apart).Select(apart => (now, int.Parse(apart.Node.AsSpan(1), CultureInfo.InvariantCulture))));
            (_apart, _version, MostApart) = (next, _version + 1, Math.Max(MostApart, next.Count));
            _told.Enqueue((now + Written, next));
        }

        return verdict.Target is not null;
    }
}

/// <summary>A node of the simulation.</summary>
/// <param name="share">How many messages it takes, compared with the others.</param>
/// <param name="errorRate">How many of its attempts fail while the target is well.</param>
/// <param name="wellAt">From when on none of them does.</param>
internal sealed class SimulatedNode(double share, double errorRate, double wellAt = double.MaxValue)
{
    public ApartCourse Course { get; } = new() { Interval = 5 };

    /// <summary>Gets when it tried itself.</summary>
    public List<double> Probes { get; } = [];

    /// <summary>Gets in which seconds it took messages as the others do; only of one whose attempts all fail.</summary>
    public HashSet<int> Took { get; } = [];

    public void Began(double now, bool isProbe)
    {
        if (isProbe)
        {
            Probes.Add(now);
        }
        else if (errorRate == 1)
        {
            Took.Add((int)now);
        }
    }

    public double Share => share;

    public double ErrorRateAt(double now) => now < wellAt ? errorRate : 0;

    public OutcomeCount Unreported { get; set; }
}
