using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Commands.Topology;

/// <summary>Which exchanges and queues of a plan a broker has.</summary>
internal sealed class ExistingTopology
{
    private readonly HashSet<string> _missing;

    private ExistingTopology(IEnumerable<string> missing) => _missing = [.. missing];

    public int MissingCount => _missing.Count;

    public static async Task<ExistingTopology> LookAsync(IConnection connection, TopologyPlan plan, CancellationToken cancellationToken) =>
        new(await TopologyLook.FindMissingAsync(connection, plan, cancellationToken).ConfigureAwait(false));

    /// <summary>Tells which of some queues are not there.</summary>
    public static async Task<IReadOnlyList<string>> FindMissingQueuesAsync(
        IConnection connection,
        IReadOnlyList<string> queues,
        CancellationToken cancellationToken)
    {
        List<QueuePlan> wanted = [.. queues.Select(queue => new QueuePlan(queue, new Dictionary<string, object?>()))];
        var found = await LookAsync(connection, new TopologyPlan { Exchanges = [], Queues = wanted, Bindings = [] }, cancellationToken).ConfigureAwait(false);
        return [.. wanted.Where(queue => !found.Has(queue)).Select(queue => queue.Name)];
    }

    /// <summary>The bindings of the release queues that some points have.</summary>
    public static async Task<IReadOnlyList<BindingPlan>> FindReleaseBindingsAsync(
        IConnection connection,
        IReadOnlyList<string> points,
        CancellationToken cancellationToken)
    {
        List<string> release = [.. points.Select(BrokerNames.ReleaseQueue)];
        var absent = await FindMissingQueuesAsync(connection, release, cancellationToken).ConfigureAwait(false);
        return [.. release.Except(absent).Select(queue => new BindingPlan(BrokerNames.ReturnExchange, queue, ToQueue: true, BrokerNames.ReturnPattern(queue)))];
    }

    // the look names what is missing as its messages do
    public bool Has(ExchangePlan exchange) => !_missing.Contains($"exchange '{exchange.Name}'");

    public bool Has(QueuePlan queue) => !_missing.Contains($"queue '{queue.Name}'");
}
