using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;

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
        var look = new PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        var exchanges = new List<ExchangePlan>();
        foreach (var exchange in plan.Exchanges)
        {
            if (!await look.HasExchangeAsync(exchange.Name, cancellationToken).ConfigureAwait(false))
            {
                exchanges.Add(exchange);
            }
        }

        var queues = new List<QueuePlan>();
        foreach (var queue in plan.Queues)
        {
            if (await look.FindQueueAsync(queue.Name, cancellationToken).ConfigureAwait(false) is null)
            {
                queues.Add(queue);
            }
        }

        return TopologyPlan.Nothing with { Exchanges = exchanges, Queues = queues };
    }

    /// <summary>The exchanges and queues of a plan, as messages name them.</summary>
    public static IEnumerable<string> Names(TopologyPlan plan) =>
        plan.Exchanges.Select(exchange => $"exchange '{exchange.Name}'").Concat(plan.Queues.Select(queue => $"queue '{queue.Name}'"));
}
