using Retry.Messaging.Cli.Output;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Commands.Topology;

/// <summary>A plan in one line.</summary>
internal static class TopologyCount
{
    public static string Of(TopologyPlan plan) =>
        $"{Printable.Count(plan.Exchanges.Count)} exchanges, {Printable.Count(plan.Queues.Count)} queues, {Printable.Count(plan.Bindings.Count)} bindings";
}
