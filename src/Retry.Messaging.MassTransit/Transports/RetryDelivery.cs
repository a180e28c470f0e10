using Retry.Messaging.Decisions;
using Retry.Messaging.State;
using Retry.Messaging.MassTransit.Faults;

namespace Retry.Messaging.MassTransit.Transports;

/// <summary>One delivery, and the ways it can go on.</summary>
internal abstract class RetryDelivery
{
    /// <summary>What the message knows about its retries.</summary>
    public required RetryState State { get; init; }

    /// <summary>The id of the chain if it has none yet: the message's own id, or a new one.</summary>
    public required string FallbackId { get; init; }

    /// <summary>When the message's own time to live ends.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>How often the broker has put this delivery back into the queue, because nobody settled it.</summary>
    public int Returns { get; init; }

    /// <summary>A payload that hides the transport's own, or <see langword="null"/>.</summary>
    public virtual object? Payload => null;

    /// <summary>Sends the message up the ladder. Returns when it is safe there.</summary>
    public abstract Task ClimbAsync(RetryDecision.Again again, CancellationToken cancellationToken);

    /// <summary>Parks the message. Returns when it is safe there.</summary>
    public abstract Task ParkAsync(RetryDecision.Park park, FaultDetails fault, CancellationToken cancellationToken);

    /// <summary>Repeats a step of the outcome until the transport takes it.</summary>
    public abstract Task HoldAsync(Func<Task> step, CancellationToken cancellationToken);

    /// <summary>Sends the message up the ladder because its consumer asked for it; counts as an attempt.</summary>
    public abstract Task RedeliverAsync(TimeSpan delay, CancellationToken cancellationToken);
}
