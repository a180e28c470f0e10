using RabbitMQ.Client;
using Retry.Messaging.Naming;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>The queue of a point's permits: whoever has a delivery that waits takes one, wherever in the cluster.</summary>
/// <remarks>Permits are worth something for seconds, so the queue ends by itself when nobody has used it for an hour. Who needs it makes it.</remarks>
internal static class PermitQueue
{
    private const int Room = 10_000;
    private static readonly TimeSpan Unused = TimeSpan.FromHours(1);

    /// <summary>Declares it.</summary>
    public static async Task<string> DeclareAsync(IChannel channel, string point, CancellationToken cancellationToken)
    {
        var queue = BrokerNames.PermitQueue(point);
        await channel.QueueDeclareAsync(
            queue,
            durable: true,
            exclusive: false,
            autoDelete: false,
            new Dictionary<string, object?>
            {
                [Headers.XQueueType] = "quorum",
                [Headers.XMaxLength] = Room,
                [Headers.XExpires] = (long)Unused.TotalMilliseconds,
            },
            cancellationToken: cancellationToken).ConfigureAwait(false);
        return queue;
    }
}
