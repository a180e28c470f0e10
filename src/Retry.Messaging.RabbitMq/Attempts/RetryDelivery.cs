using Retry.Messaging.Decisions;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Attempts;

/// <summary>One delivery, and the ways it can go on.</summary>
internal abstract class RetryDelivery
{
    private string? _id;

    /// <summary>What its retry point counts and measures.</summary>
    public required PointTelemetry Telemetry { get; init; }

    /// <summary>What the message knows about its retries.</summary>
    public required RetryState State { get; init; }

    /// <summary>The id of the chain, made when it is first asked for: nearly all messages succeed, and need none.</summary>
    public string FallbackId => _id ??= State.Id ?? FirstId();

    /// <summary>When the message's own time to live ends.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>Completed once all observers of the endpoint know that it is ready.</summary>
    public Task EndpointIsReady { get; init; } = Task.CompletedTask;

    /// <summary>Its number on the channel that it came by; 0 where the transport has none.</summary>
    public virtual ulong Tag => 0;

    /// <summary>Whether a consumer had this delivery before, and did not settle it.</summary>
    public bool CameBack { get; init; }

    /// <summary>How often the broker has put this delivery back into the queue, because it was not settled; 0 where the broker does not count.</summary>
    public int Returns { get; init; }

    /// <summary>Whether the connection that it came by is open: lost deliveries were then taken away by the broker.</summary>
    public virtual bool IsConnected => false;

    /// <summary>When the message left the ladder by the broker's clock, in whole seconds; <see langword="null"/> when nothing tells.</summary>
    public virtual DateTimeOffset? LeftLadderAt => null;

    /// <summary>A payload that hides the transport's own, or <see langword="null"/>.</summary>
    public virtual object? Payload => null;

    /// <summary>Headers that the transport makes of a delivery, as they were at the first one; <see langword="null"/> where nothing was taken off.</summary>
    public virtual IReadOnlyDictionary<string, string>? Restored => null;

    /// <summary>Tells whether a process died that may have held this message, which came back; <see langword="null"/> when that is not known.</summary>
    public virtual Task<bool?> HasSomebodyDiedAsync(CancellationToken cancellationToken) => Task.FromResult<bool?>(false);

    /// <summary>Sends the message up the ladder. Returns when it is safe there.</summary>
    public async Task ClimbAsync(RetryDecision.Again again, ClimbCause cause, CancellationToken cancellationToken)
    {
        using var span = RetryTracing.StartRetry(Telemetry.Queue, State.Attempt, again.State.Id, again.Delay, cause);
        try
        {
            await SendUpAsync(again, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            span.Fail(exception);
            throw;
        }

        Telemetry.Climbed(cause, again.Delay);
    }

    /// <summary>Parks the message. Returns when it is safe there.</summary>
    public async Task ParkAsync(RetryDecision.Park park, FaultDetails fault, CancellationToken cancellationToken)
    {
        using var span = RetryTracing.StartPark(Telemetry.Queue, State.Attempt, park.State, park.Reason.Name, fault.Exception);
        try
        {
            await SendToParkingLotAsync(park, fault, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            span.Fail(exception);
            throw;
        }

        Telemetry.Parked(park.Reason, fault.Exception);
    }

    /// <summary>Repeats a step of the outcome until the transport takes it.</summary>
    public abstract Task HoldAsync(Func<Task> step, CancellationToken cancellationToken);

    /// <summary>Makes the id of a chain that has none yet.</summary>
    protected abstract string FirstId();

    /// <summary>Sends the message up the ladder. Returns when it is safe there.</summary>
    protected abstract Task SendUpAsync(RetryDecision.Again again, CancellationToken cancellationToken);

    /// <summary>Sends the message to its parking lot. Returns when it is safe there.</summary>
    protected abstract Task SendToParkingLotAsync(RetryDecision.Park park, FaultDetails fault, CancellationToken cancellationToken);
}
