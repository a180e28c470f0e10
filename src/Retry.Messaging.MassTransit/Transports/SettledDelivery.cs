namespace Retry.Messaging.MassTransit.Transports;

/// <summary>A mark on a delivery whose outcome has been recorded: whatever fails afterwards must not record another.</summary>
internal sealed class SettledDelivery
{
    public static readonly SettledDelivery Instance = new();
}
