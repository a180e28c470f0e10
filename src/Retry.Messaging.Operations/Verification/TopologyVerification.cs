using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Operations.Verification;

/// <summary>What a verification gave: findings, and what was not checked.</summary>
/// <param name="Points">The work queues of the retry points that were looked at.</param>
/// <param name="Findings">What is not as it should be, worst first.</param>
/// <param name="NotChecked">What could not be looked at.</param>
internal sealed record TopologyVerification(IReadOnlyList<string> Points, IReadOnlyList<TopologyFinding> Findings, IReadOnlyList<NotChecked> NotChecked)
{
    /// <summary>What would serve the ladder but is no finding.</summary>
    public IReadOnlyList<string> Advice { get; init; } = [];

    /// <summary>Whether everything was checked and nothing found.</summary>
    public bool IsClean => Findings.Count == 0 && NotChecked.Count == 0;

    /// <summary>Verifies over the management API and, without it, what AMQP can show.</summary>
    /// <param name="connection">An open connection to the broker.</param>
    /// <param name="client">Its management API.</param>
    /// <param name="points">The work queues to look at.</param>
    /// <param name="all">Whether to look at all others too that the broker has.</param>
    /// <param name="isolated">Those of them that must have a release queue.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<TopologyVerification> RunAsync(
        IConnection connection,
        ManagementClient client,
        IReadOnlyList<string> points,
        bool all,
        IReadOnlyList<string> isolated,
        CancellationToken cancellationToken)
    {
        BrokerFacts facts;
        try
        {
            await client.EnsureSameClusterAsync(connection, cancellationToken).ConfigureAwait(false);
            facts = await BrokerFactsReader.ReadAsync(client, cancellationToken).ConfigureAwait(false);
        }
        catch (ManagementException exception)
        {
            return await LookAsync(connection, points, all, isolated, exception.Message, cancellationToken).ConfigureAwait(false);
        }

        var known = KnownPoints.Find(facts);
        IReadOnlyList<RetryPointNames> wanted =
        [
            .. points.Select(queue => known.FirstOrDefault(point => point.Work == queue) ?? RetryPointNames.For(queue)),
            .. known.Where(point => all && !points.Contains(point.Work)),
        ];
        return new TopologyVerification(
            [.. wanted.Select(point => point.Work)],
            TopologyComparison.Compare(TopologyPlan.Ladder, wanted, facts, isolated),
            facts.NotChecked) { Advice = BrokerAdvice.For(facts) };
    }

    // existence is all that AMQP can show
    private static async Task<TopologyVerification> LookAsync(
        IConnection connection,
        IReadOnlyList<string> points,
        bool all,
        IReadOnlyList<string> isolated,
        string why,
        CancellationToken cancellationToken)
    {
        var plan = points.Aggregate(TopologyPlan.Ladder, (all, queue) => all.Then(TopologyPlan.Point(RetryPointNames.For(queue), isolated.Contains(queue))));
        IEnumerable<QueuePlan> workQueues = points.Select(queue => new QueuePlan(queue, new Dictionary<string, object?>()));
        var missing = await TopologyLook.FindMissingAsync(
            connection,
            plan with { Queues = [.. plan.Queues, .. workQueues] },
            cancellationToken).ConfigureAwait(false);
        var notChecked = new List<NotChecked>
        {
            new(
                "arguments (TTL, strategy, overflow, delivery limit), bindings, alternate exchanges, policies, feature flags, replicas, leaders, destinations that could stall others, dead-lettering of work queues",
                why),
        };
        if (all)
        {
            notChecked.Add(new("which retry points there are", "AMQP cannot list queues. Name the work queues by --point."));
        }

        // AMQP shows no other points, and an exchange that is declared without their bindings loses what is theirs
        var apply = $"'{ApplyCommand.For(points, isolated)}', with --point for {(points.Count == 0 ? "each retry point" : "every other retry point too")}";
        return new TopologyVerification(
            points,
            [.. missing.Select(what => new TopologyFinding(
                TopologyFindingKind.Missing,
                what,
                "none",
                "one of that name",
                points.Any(queue => what == $"queue '{queue}'") ? $"Start the service that owns the queue; until then its messages go to '{BrokerNames.LostQueue}'." : $"Run {apply}."))],
            notChecked);
    }
}
