using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>Where the health of a retry point comes from: the topology keeper and the point's limiter.</summary>
internal sealed class PointHealthSources(TopologyManagement manage, TopologyKeeper keeper, PointLimiter limiter)
{
    /// <summary>Has them tell the health.</summary>
    public void Tell(PointHealth health)
    {
        if (manage != TopologyManagement.OnStart)
        {
            health.Unchecked = $"bindings and policies are not checked: 'retryctl topology verify --point {health.Queue}' does";
        }

        if (manage != TopologyManagement.Never)
        {
            health.Watch = () => keeper.Trouble;
            health.Found(PointHealth.Ladder, "The ladder has not been looked at: there was no connection to the broker yet.");
        }

        health.Limiter = () => limiter.Status is { } status ? $"{status.Activity} since {status.Since:u}" : null;
        health.LimiterTrouble = () => limiter.Status is { Activity: LimiterActivity.Down } down ? $"no limiter in this process: {down.Reason}" : null;
    }
}
