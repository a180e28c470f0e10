using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>Looks over AMQP which exchanges and queues of a plan exist. AMQP cannot show bindings, arguments or policies.</summary>
internal static class TopologyLook
{
    /// <summary>Names each exchange and queue of the plan that is not there.</summary>
    public static async Task<IReadOnlyList<string>> FindMissingAsync(IConnection connection, TopologyPlan plan, CancellationToken cancellationToken) =>
        [.. Names(await FindAsync(connection, plan, cancellationToken).ConfigureAwait(false))];

    /// <summary>The part of the plan that is not there, without bindings.</summary>
    public static async Task<TopologyPlan> FindAsync(IConnection connection, TopologyPlan plan, CancellationToken cancellationToken)
    {
        IChannel? channel = null;
        try
        {
            var exchanges = new List<ExchangePlan>();
            foreach (var exchange in plan.Exchanges)
            {
                if (!await ExistsAsync(open => open.ExchangeDeclarePassiveAsync(exchange.Name, cancellationToken)).ConfigureAwait(false))
                {
                    exchanges.Add(exchange);
                }
            }

            var queues = new List<QueuePlan>();
            foreach (var queue in plan.Queues)
            {
                if (!await ExistsAsync(open => open.QueueDeclarePassiveAsync(queue.Name, cancellationToken)).ConfigureAwait(false))
                {
                    queues.Add(queue);
                }
            }

            return TopologyPlan.Nothing with { Exchanges = exchanges, Queues = queues };
        }
        finally
        {
            await CloseAsync().ConfigureAwait(false);
        }

        async Task<bool> ExistsAsync(Func<IChannel, Task> look)
        {
            channel ??= await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
            try
            {
                await look(channel).ConfigureAwait(false);
                return true;
            }
            catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
            {
                // a passive declaration of what is missing closes its channel
                await CloseAsync().ConfigureAwait(false);
                return false;
            }
        }

        async Task CloseAsync()
        {
            if (channel is not null)
            {
                await channel.DisposeAsync().ConfigureAwait(false);
                channel = null;
            }
        }
    }

    /// <summary>The exchanges and queues of a plan, as messages name them.</summary>
    public static IEnumerable<string> Names(TopologyPlan plan) =>
        plan.Exchanges.Select(exchange => $"exchange '{exchange.Name}'").Concat(plan.Queues.Select(queue => $"queue '{queue.Name}'"));
}
