namespace Retry.Messaging.MassTransit.Transports;

/// <summary>A mark on a delivery that our filter gave up: it has no outcome, whatever one of its consumers has said.</summary>
internal sealed class UnsettledDelivery
{
    public static readonly UnsettledDelivery Instance = new();
}
