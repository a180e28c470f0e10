using System.Collections.Concurrent;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.RabbitMq.Health;

/// <summary>What is wrong with a retry point at the moment. Endpoint, limiter and publisher note it here; the health check reads it.</summary>
internal sealed class PointHealth(string queue, TimeProvider time)
{
    /// <summary>The ladder, which all points of the virtual host share.</summary>
    public const string Ladder = "ladder";

    /// <summary>The point's own queues and bindings.</summary>
    public const string Point = "point";

    /// <summary>How long a publish may stay unconfirmed before the point is degraded.</summary>
    public static readonly TimeSpan LongestConfirm = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, string> _topology = new(StringComparer.Ordinal);

    public string Queue => queue;

    public HeldOutcomes Held { get; } = new(time);

    /// <summary>Tells what is wrong with the topology while the service runs; <see langword="null"/> where the service does not look after it.</summary>
    public Func<string?>? Watch { get; set; }

    /// <summary>Tells what the point's limiter does in this process; <see langword="null"/> where the point has none here.</summary>
    public Func<string?>? Limiter { get; set; }

    /// <summary>Tells why the point has no limiter although it needs one; <see langword="null"/> when it has.</summary>
    public Func<string?>? LimiterTrouble { get; set; }

    /// <summary>Tells what the circuit lets through, how many deliveries wait for it here, and whether this process takes none; <see langword="null"/> where the point has none.</summary>
    public Func<(int State, int Waiting, bool IsApart)?>? Circuit { get; set; }

    /// <summary>Tells the last number that this process has come back from, of those with which it was set apart; <see langword="null"/> where it cannot be.</summary>
    public Func<long?>? Back { get; set; }

    /// <summary>What is not checked here, with the next step; <see langword="null"/> where everything is declared by this process.</summary>
    public string? Unchecked { get; set; }

    /// <summary>Notes what was found when a part of the topology was declared or looked at.</summary>
    /// <param name="part"><see cref="Ladder"/>, <see cref="Point"/>, or the finder's own word for it.</param>
    /// <param name="trouble">What is missing or different, with the next step; <see langword="null"/> when all is as planned.</param>
    public void Found(string part, string? trouble)
    {
        if (trouble is null)
        {
            _topology.TryRemove(part, out _);
        }
        else
        {
            _topology[part] = trouble;
        }
    }

    /// <summary>Notes what a declaration found different from the plan.</summary>
    public void Found(string part, IReadOnlyList<TopologyException> different) =>
        Found(part, different.Count == 0 ? null : string.Join(' ', different.Select(one => one.Message)));

    /// <summary>Everything that is wrong, worst first; empty when the point is well.</summary>
    public IReadOnlyList<string> Troubles()
    {
        var troubles = new List<string>();
        if (Held.Oldest is { } oldest && oldest.Age >= LongestConfirm)
        {
            troubles.Add($"Held outcomes: {Held.Count}, the oldest for {oldest.Age.TotalSeconds:0} s: {oldest.Reason}");
        }

        if (Watch?.Invoke() is { } seen)
        {
            troubles.Add(seen);
        }

        troubles.AddRange(_topology.OrderBy(part => part.Key, StringComparer.Ordinal).Select(part => part.Value));
        if (LimiterTrouble?.Invoke() is { } unlimited)
        {
            troubles.Add(unlimited);
        }

        return troubles;
    }
}
