using RabbitMQ.Client;
using Retry.Messaging.Operations.Delayed;
using Retry.Messaging.Operations.Nodes;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.Operations.Pulse;
using Retry.Messaging.Operations.Verification;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.Operations.Points;

/// <summary>Reads the retry points of a virtual host: over the management API, and from the control log. It writes nothing.</summary>
/// <param name="connection">The connection.</param>
/// <param name="client">The management API.</param>
/// <param name="board">What nodes say; <see langword="null"/> where nobody listens. Then what they sent up the ladder in the last five seconds is not known.</param>
/// <param name="time">The clock.</param>
internal sealed class PointsReader(IConnection connection, ManagementClient client, PulseBoard? board, TimeProvider time)
{
    /// <summary>Reads them.</summary>
    /// <exception cref="ManagementException">The management API is missing, refuses the user, or is that of another cluster.</exception>
    public async Task<PointsOverview> ReadAsync(CancellationToken cancellationToken)
    {
        await client.EnsureSameClusterAsync(connection, cancellationToken).ConfigureAwait(false);
        var facts = await BrokerFactsReader.ReadAsync(client, cancellationToken).ConfigureAwait(false);
        var queues = await client.GetAsync(
            $"queues/{client.VirtualHostSegment}?columns=name,messages_ready,messages_unacknowledged,consumers",
            cancellationToken).ConfigureAwait(false);
        IReadOnlyList<QueueCount> counts =
        [
            .. queues.Items().Select(queue => new QueueCount(
                queue.Text("name") ?? string.Empty,
                queue.Number("messages_ready"),
                queue.Number("messages_unacknowledged"),
                queue.Number("consumers"))),
        ];
        return PointsOverview.Of(
            facts,
            counts,
            await SettingsAsync(cancellationToken).ConfigureAwait(false),
            await NodesAsync(cancellationToken).ConfigureAwait(false),
            await DelayedAsync(cancellationToken).ConfigureAwait(false),
            await PlansAsync(cancellationToken).ConfigureAwait(false));
    }

    // without them a limiter that stands still may be paused or missing, which is said
    private async Task<IReadOnlyDictionary<string, LimiterSettings>?> SettingsAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await new LimiterControl(connection, time).ReadAllAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (LimiterException)
        {
            return null;
        }
    }

    private async Task<DelayedOverview?> DelayedAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await new DelayedReader(connection, board, time).ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ControlException)
        {
            return null;
        }
    }

    private async Task<IReadOnlyList<PlanSummary>> PlansAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await new PlansReader(connection, time).ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ParkingException)
        {
            return [];
        }
    }

    // who may not read the announcements sees the points all the same
    private async Task<IReadOnlyList<NodeSummary>?> NodesAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await new NodesReader(connection, time).ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ControlException)
        {
            return null;
        }
    }
}
