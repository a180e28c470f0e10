using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.MassTransit.Transports;

/// <summary>A retry point on RabbitMQ: its queues, where messages return to, and what must exist.</summary>
internal sealed class RabbitMqPoint
{
    public RabbitMqPoint(RetryPointNames names, bool withRelease, TopologyManagement manage)
    {
        Names = names;
        HasRelease = withRelease;
        Destination = withRelease ? names.Release : names.Work;
        LadderPlan = TopologyPlan.Ladder;
        PointPlan = TopologyPlan.Point(names, withRelease);
        Plans = manage == TopologyManagement.OnStart ? [LadderPlan, PointPlan] : [];
    }

    public RetryPointNames Names { get; }

    /// <summary>Whether messages wait in the release queue before they go back to work.</summary>
    public bool HasRelease { get; }

    public string Destination { get; }

    public TopologyPlan LadderPlan { get; }

    public TopologyPlan PointPlan { get; }

    /// <summary>What is declared before the first publish; nothing when somebody else manages the topology.</summary>
    public IReadOnlyList<TopologyPlan> Plans { get; }

    /// <summary>What the health check calls a plan.</summary>
    public string PartOf(TopologyPlan plan) => ReferenceEquals(plan, LadderPlan) ? PointHealth.Ladder : PointHealth.Point;
}
