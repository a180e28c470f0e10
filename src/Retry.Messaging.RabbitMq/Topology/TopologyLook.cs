using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>Looks over AMQP which exchanges and queues of a plan exist. AMQP cannot show bindings, arguments or policies.</summary>
internal static class TopologyLook
{
    /// <summary>Names each exchange and queue of the plan that is not there.</summary>
    public static async Task<IReadOnlyList<string>> FindMissingAsync(IConnection connection, TopologyPlan plan, CancellationToken cancellationToken)
    {
        var missing = new List<string>();
        foreach (var exchange in plan.Exchanges)
        {
            if (!await ExistsAsync(connection, channel => channel.ExchangeDeclarePassiveAsync(exchange.Name, cancellationToken), cancellationToken).ConfigureAwait(false))
            {
                missing.Add($"exchange '{exchange.Name}'");
            }
        }

        foreach (var queue in plan.Queues)
        {
            if (!await ExistsAsync(connection, channel => channel.QueueDeclarePassiveAsync(queue.Name, cancellationToken), cancellationToken).ConfigureAwait(false))
            {
                missing.Add($"queue '{queue.Name}'");
            }
        }

        return missing;
    }

    // a passive declaration of what is missing closes its channel, so each look has one of its own
    private static async Task<bool> ExistsAsync(IConnection connection, Func<IChannel, Task> look, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await using (channel.ConfigureAwait(false))
        {
            try
            {
                await look(channel).ConfigureAwait(false);
                return true;
            }
            catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
            {
                return false;
            }
        }
    }
}
