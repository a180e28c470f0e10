using Retry.Messaging.RabbitMq.Counting;

namespace Retry.Messaging.RabbitMq.Pulse;

/// <summary>What a process says of one point. What is not said is 0.</summary>
/// <param name="Queue">The work queue.</param>
internal sealed record PointPulse(string Queue)
{
    /// <summary>Attempts since the process started, by how they ended (<see cref="PointCounts"/>).</summary>
    public long Done { get; init; }

    /// <inheritdoc cref="Done"/>
    public long Error { get; init; }

    /// <inheritdoc cref="Done"/>
    public long Fail { get; init; }

    /// <inheritdoc cref="Done"/>
    public long TimedOut { get; init; }

    /// <inheritdoc cref="Done"/>
    public long NotOfTarget { get; init; }

    /// <inheritdoc cref="Done"/>
    public long Slow { get; init; }

    /// <summary>Attempts that run at the moment.</summary>
    public int InFlight { get; init; }

    /// <summary>Outcomes that are held because the broker does not confirm them.</summary>
    public int Held { get; init; }

    /// <summary>The last number that the process has come back from, of those with which it was set apart; <see langword="null"/> where it cannot be.</summary>
    public long? Back { get; init; }

    /// <summary>How long attempts took that ended since the last pulse: pairs of bucket (<see cref="TimeDistribution"/>) and count.</summary>
    public IReadOnlyList<int>? ConsumerTime { get; init; }

    /// <summary>How late repeated attempts began since the last pulse, in the same way.</summary>
    public IReadOnlyList<int>? Lateness { get; init; }

    /// <summary>What the process has sent up the ladder and is still there.</summary>
    public IReadOnlyList<RungPulse>? Climbing { get; init; }
}
