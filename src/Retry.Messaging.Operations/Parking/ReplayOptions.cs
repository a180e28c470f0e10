using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Operations.Parking;

/// <summary>How parked messages are sent back to work.</summary>
public sealed record ReplayOptions
{
    private const int MaxPlanId = 128;

    /// <summary>Gets or inits the id that every copy carries in <c>retry-plan</c>.</summary>
    /// <value>The default is a new id. At most 128 characters; longer text is cut.</value>
    /// <remarks>
    /// A message that already carries it was replayed by this plan and parked again; it is left where it is. Where a plan of this id
    /// was left unfinished, because its process was killed, the replay goes on with it: with its set, whatever the filter says.
    /// </remarks>
    public string PlanId { get; init; } = NewId();

    /// <summary>Gets or inits how many messages go back in a second at the most.</summary>
    /// <value>The default is <see langword="null"/>: as many as can be.</value>
    /// <remarks>It comes on top of the point's limiter, where there is one.</remarks>
    public double? PerSecond { get; init; }

    /// <summary>Gets or inits the queue that the copies go to.</summary>
    /// <value>The default is <see langword="null"/>: the work queue in whose parking lot they are.</value>
    public string? To { get; init; }

    /// <summary>Who wants it, and what it does at its end; <see langword="null"/> for the defaults of a service.</summary>
    internal PlanOrder? Order { get; init; }

    /// <summary>Told where the messages go, before the first does.</summary>
    internal Action<ReplayDestination>? DestinationFound { get; init; }

    internal static string NewId() => Guid.CreateVersion7().ToString("N");

    internal PlanOrder ToOrder()
    {
        var id = HeaderText.OneLine(PlanId, MaxPlanId);
        var order = Order ?? new PlanOrder(id, new PlanTerms(PlanAction.Replay));
        return order with { Id = id, Terms = order.Terms with { PerSecond = PerSecond, To = To } };
    }
}
