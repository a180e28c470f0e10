namespace Retry.Messaging.Operations.Points;

/// <summary>How many messages and consumers a queue has, as the management API says: up to five seconds old.</summary>
/// <param name="Name">The queue.</param>
/// <param name="Ready">Messages that no consumer has.</param>
/// <param name="Unacknowledged">Messages that consumers hold.</param>
/// <param name="Consumers">Consumers.</param>
internal sealed record QueueCount(string Name, long Ready, long Unacknowledged, long Consumers)
{
    /// <summary>All messages.</summary>
    public long Messages => Ready + Unacknowledged;
}
