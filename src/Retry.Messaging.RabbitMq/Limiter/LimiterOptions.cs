using RabbitMQ.Client;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Pulse;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What a limiter has to know of its point.</summary>
internal sealed record LimiterOptions
{
    /// <summary>The heartbeat of a limiter's connection: the broker gives up a limiter that hangs after two of them.</summary>
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(4);

    /// <summary>The point's queues.</summary>
    public required RetryPointNames Names { get; init; }

    /// <summary>The rate that the code asks for; null forwards at any rate. An operator's setting wins over it.</summary>
    public RedeliveryLimit? Limit { get; init; }

    /// <summary>The retry budget that the code asks for; null for none. An operator's policy wins over it.</summary>
    public RetryBudget? Budget { get; init; }

    /// <summary>Whether <see cref="Budget"/> is what the point's code says. Where not, it is what the code's instances left in the control log.</summary>
    public bool KnowsBudget { get; init; } = true;

    /// <summary>Hears the pulses that a retry budget is earned by; <see langword="null"/> where none can be heard.</summary>
    public PulseShare? Pulses { get; init; }

    /// <summary>Whether <see cref="Limit"/> is what the point's code, or an operator in its place, says.</summary>
    /// <remarks>A process that knows neither goes by what the code's instances left in the control log, and releases nothing where they left nothing.</remarks>
    public bool KnowsLimit { get; init; } = true;

    /// <summary>How many messages the consumers of the work queue take in advance, as far as it is known.</summary>
    public int ConsumerPrefetch { get; init; }

    /// <summary>Opens a connection of the limiter's own; the action prepares the factory that it is made by.</summary>
    public required Func<Action<ConnectionFactory>, CancellationToken, Task<IConnection>> ConnectAsync { get; init; }

    /// <summary>What becomes of messages that came by before they are due; <see langword="null"/> where only their consumers know.</summary>
    public ReleaseVisits? Visits { get; init; }

    /// <summary>Which of the instances this is, for people.</summary>
    public string Instance { get; init; } = $"{Environment.MachineName}:{Environment.ProcessId}";

    /// <summary>How long a delivery is held before it is given back for a moment.</summary>
    public HoldTime Hold { get; init; } = new();
}
