using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>Declares a plan on a connection. Declaring what exists already changes nothing.</summary>
internal static class TopologyDeclarer
{
    /// <summary>Declares, for one exchange after the other, the queues it leads to, itself and its bindings, on channels of its own.</summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="plan">What to declare.</param>
    /// <param name="declared">Told the number of objects declared so far, after each.</param>
    /// <param name="cancellationToken">Stops between two objects.</param>
    /// <returns>
    /// What exists with other properties than planned. It is left as it is, and the rest is declared: most differences, such as a
    /// classic parking lot, still work.
    /// </returns>
    /// <exception cref="TopologyException">Something may not be declared, or needs something that does not exist.</exception>
    public static async Task<IReadOnlyList<TopologyException>> DeclareAsync(
        IConnection connection,
        TopologyPlan plan,
        IProgress<int>? declared = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(plan);

        var different = new List<TopologyException>();
        IChannel? channel = null;
        var done = 0;
        try
        {
            foreach (var (what, declare) in Steps(plan, cancellationToken))
            {
                channel ??= await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
                try
                {
                    await declare(channel).ConfigureAwait(false);
                }
                catch (OperationInterruptedException exception)
                {
                    var refused = TopologyException.From(what, exception);
                    if (!refused.ExistsWithOtherProperties)
                    {
                        throw refused;
                    }

                    different.Add(refused);
                    await channel.DisposeAsync().ConfigureAwait(false);
                    channel = null;
                }

                declared?.Report(++done);
            }
        }
        finally
        {
            if (channel is not null)
            {
                await channel.DisposeAsync().ConfigureAwait(false);
            }
        }

        return different;
    }

    /// <summary>What is declared, in this order.</summary>
    internal static IEnumerable<(string What, Func<IChannel, Task> Declare)> Steps(TopologyPlan plan, CancellationToken cancellationToken)
    {
        // An exchange without its bindings sends what comes to it to the lost queue, so they follow at once, and the queues are there
        // by then; a rung without the exchange it lets go to is a warning in the broker's log, but that one was declared before.
        var queues = plan.Queues.ToDictionary(queue => queue.Name);
        var bindings = plan.Bindings.ToLookup(binding => binding.Source);
        foreach (var exchange in plan.Exchanges)
        {
            foreach (var binding in bindings[exchange.Name].Where(binding => binding.ToQueue))
            {
                if (queues.Remove(binding.Destination, out var queue))
                {
                    yield return Declare(queue, cancellationToken);
                }
            }

            yield return ($"exchange '{exchange.Name}'", channel => channel.ExchangeDeclareAsync(
                exchange.Name,
                exchange.Type,
                durable: true,
                autoDelete: false,
                ToArguments(exchange.Arguments),
                cancellationToken: cancellationToken));
            foreach (var binding in bindings[exchange.Name])
            {
                yield return Bind(binding, cancellationToken);
            }
        }

        foreach (var queue in plan.Queues.Where(queue => queues.ContainsKey(queue.Name)))
        {
            yield return Declare(queue, cancellationToken);
        }

        var declared = plan.Exchanges.Select(exchange => exchange.Name).ToHashSet();
        foreach (var binding in plan.Bindings.Where(binding => !declared.Contains(binding.Source)))
        {
            yield return Bind(binding, cancellationToken);
        }
    }

    private static (string What, Func<IChannel, Task> Declare) Declare(QueuePlan queue, CancellationToken cancellationToken) =>
        ($"queue '{queue.Name}'", channel => channel.QueueDeclareAsync(
            queue.Name,
            durable: true,
            exclusive: false,
            autoDelete: false,
            ToArguments(queue.Arguments),
            cancellationToken: cancellationToken));

    private static (string What, Func<IChannel, Task> Declare) Bind(BindingPlan binding, CancellationToken cancellationToken) =>
        ($"binding '{binding.Source}' -> '{binding.Destination}'", channel => binding.ToQueue
            ? channel.QueueBindAsync(binding.Destination, binding.Source, binding.RoutingKey, cancellationToken: cancellationToken)
            : channel.ExchangeBindAsync(binding.Destination, binding.Source, binding.RoutingKey, cancellationToken: cancellationToken));

    private static Dictionary<string, object?>? ToArguments(IReadOnlyDictionary<string, object?> arguments) =>
        arguments.Count == 0 ? null : new Dictionary<string, object?>(arguments);
}
