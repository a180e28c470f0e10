using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Options;

/// <summary>The retry points that a topology command covers beside the ladder.</summary>
internal static class PointOption
{
    public static Option<string[]> Create() => new("--point")
    {
        Description = "A work queue, for its parking lot and its way back; may be given several times. Default: only the ladder, which all share.",
        HelpName = "QUEUE",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = static _ => [],
    };

    /// <summary>The ladder and the points.</summary>
    /// <exception cref="UsageException">A queue cannot be a destination of the ladder.</exception>
    public static TopologyPlan PlanOf(ParseResult parsed, Option<string[]> option)
    {
        var plan = TopologyPlan.Ladder;
        foreach (var queue in QueuesOf(parsed, option))
        {
            plan = plan.Then(TopologyPlan.Point(RetryPointNames.For(queue), withRelease: false));
        }

        return plan;
    }

    /// <summary>The work queues that were named.</summary>
    /// <exception cref="UsageException">One cannot be a destination of the ladder.</exception>
    public static IReadOnlyList<string> QueuesOf(ParseResult parsed, Option<string[]> option)
    {
        List<string> queues = [.. (parsed.GetValue(option) ?? []).Distinct(StringComparer.Ordinal)];
        foreach (var queue in queues)
        {
            if (BrokerNames.WhyNotADestination(queue) is { } why)
            {
                throw new UsageException(why);
            }
        }

        return queues;
    }
}
