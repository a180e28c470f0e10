using Retry.Messaging.RabbitMq.Counting;

namespace Retry.Messaging.Operations.Pulse;

/// <summary>What a retry point does at the moment, on all nodes together.</summary>
/// <param name="Queue">The work queue.</param>
/// <param name="Nodes">How many nodes say so.</param>
internal sealed record PointActivity(string Queue, int Nodes)
{
    /// <summary>Attempts per second that succeed; <see langword="null"/> while a node has said something only once.</summary>
    public double? Done { get; init; }

    /// <summary>Attempts per second that end with an exception which another attempt may mend.</summary>
    public double? Error { get; init; }

    /// <summary>Attempts per second that end with an exception which no other attempt mends.</summary>
    public double? Fail { get; init; }

    /// <summary>Attempts per second that end with a time-out.</summary>
    public double? TimedOut { get; init; }

    /// <summary>Attempts that run at the moment.</summary>
    public int InFlight { get; init; }

    /// <summary>Outcomes that are held because the broker does not confirm them.</summary>
    public int Held { get; init; }

    /// <summary>What half of the attempts that ended last took at most; <see langword="null"/> where none did.</summary>
    public TimeSpan? Median { get; init; }

    /// <summary>What 95 of 100 of them took at most.</summary>
    public TimeSpan? Slow { get; init; }

    /// <summary>How late 95 of 100 of the repeated attempts that began last were at most; <see langword="null"/> where none did.</summary>
    public TimeSpan? Late { get; init; }

    /// <summary>Whether what the point calls looks ill.</summary>
    public TargetHealth Health { get; init; } = TargetHealth.Well;

    /// <summary>What waits in the rungs of the ladder, as far as these nodes have sent it there.</summary>
    public IReadOnlyList<RungWait> Climbing { get; init; } = [];
}
