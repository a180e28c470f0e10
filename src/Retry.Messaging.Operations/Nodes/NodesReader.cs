using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.Operations.Nodes;

/// <summary>Reads which instances serve the retry points of a virtual host. It writes nothing and declares nothing.</summary>
internal sealed class NodesReader(IConnection connection, TimeProvider time)
{
    /// <summary>Reads what they have said, and looks for the sign of life of each.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The instances by host and process; without those that said that they stop.</returns>
    /// <exception cref="ControlException">The announcements cannot be read.</exception>
    public async Task<IReadOnlyList<NodeSummary>> ReadAsync(CancellationToken cancellationToken)
    {
        var announcements = new Announcements(new RecordStream(connection, BrokerNames.AnnouncementStream, Announcements.Retention, time));
        await using var ends = announcements.ConfigureAwait(false);
        var look = new PassiveLook(connection);
        await using var looks = look.ConfigureAwait(false);
        var nodes = new List<NodeSummary>();
        foreach (var node in NodeBook.Of(await announcements.ReadAsync(cancellationToken).ConfigureAwait(false)))
        {
            // the broker deletes the sign of life with the connection of its instance
            var sign = await look.FindQueueAsync(BrokerNames.InstanceQueue(node.Instance), cancellationToken).ConfigureAwait(false);
            nodes.Add(node with { IsThere = sign is { ConsumerCount: > 0 } });
        }

        return nodes;
    }
}
