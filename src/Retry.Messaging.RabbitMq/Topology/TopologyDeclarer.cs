using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>Declares a plan on a connection. Declaring what exists already changes nothing.</summary>
public static class TopologyDeclarer
{
    /// <summary>Declares exchanges, queues and bindings, in this order, on a channel of its own.</summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="plan">What to declare.</param>
    /// <param name="declared">Told the number of objects declared so far, after each.</param>
    /// <param name="cancellationToken">Stops between two objects.</param>
    /// <exception cref="TopologyException">Something exists with other properties, or may not be declared.</exception>
    public static async Task DeclareAsync(IConnection connection, TopologyPlan plan, IProgress<int>? declared = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(plan);

        var done = 0;
        var current = string.Empty;
        try
        {
            var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
            await using (channel.ConfigureAwait(false))
            {
                foreach (var exchange in plan.Exchanges)
                {
                    current = $"exchange '{exchange.Name}'";
                    await channel.ExchangeDeclareAsync(exchange.Name, exchange.Type, durable: true, autoDelete: false, ToArguments(exchange.Arguments), cancellationToken: cancellationToken).ConfigureAwait(false);
                    declared?.Report(++done);
                }

                foreach (var queue in plan.Queues)
                {
                    current = $"queue '{queue.Name}'";
                    await channel.QueueDeclareAsync(queue.Name, durable: true, exclusive: false, autoDelete: false, ToArguments(queue.Arguments), cancellationToken: cancellationToken).ConfigureAwait(false);
                    declared?.Report(++done);
                }

                foreach (var binding in plan.Bindings)
                {
                    current = $"binding '{binding.Source}' -> '{binding.Destination}'";
                    await (binding.ToQueue
                        ? channel.QueueBindAsync(binding.Destination, binding.Source, binding.RoutingKey, cancellationToken: cancellationToken)
                        : channel.ExchangeBindAsync(binding.Destination, binding.Source, binding.RoutingKey, cancellationToken: cancellationToken)).ConfigureAwait(false);
                    declared?.Report(++done);
                }
            }
        }
        catch (RabbitMQ.Client.Exceptions.OperationInterruptedException exception)
        {
            throw TopologyException.From(current, exception);
        }
    }

    private static Dictionary<string, object?>? ToArguments(IReadOnlyDictionary<string, object?> arguments) =>
        arguments.Count == 0 ? null : new Dictionary<string, object?>(arguments);
}
