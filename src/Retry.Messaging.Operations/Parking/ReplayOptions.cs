using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Parking;

/// <summary>How parked messages are sent back to work.</summary>
public sealed record ReplayOptions
{
    /// <summary>Gets or inits the id that every copy carries in <c>retry-plan</c>.</summary>
    /// <value>The default is a new id. At most 128 characters; longer text is cut.</value>
    /// <remarks>A message that already carries it was replayed by this plan and parked again; it is left where it is.</remarks>
    public string PlanId { get; init; } = Guid.CreateVersion7().ToString("N");

    /// <summary>Told where the messages go, before the first does.</summary>
    internal Action<ReplayDestination>? DestinationFound { get; init; }
}
