using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.MassTransit.Transports;

/// <summary>A retry point on RabbitMQ: its queues, where messages return to, and what must exist.</summary>
internal sealed class RabbitMqPoint
{
    public RabbitMqPoint(RetryPointNames names, bool withRelease)
    {
        Names = names;
        HasRelease = withRelease;
        Destination = withRelease ? names.Release : names.Work;
        PointPlan = TopologyPlan.Point(names, withRelease);
    }

    public RetryPointNames Names { get; }

    /// <summary>Whether messages wait in the release queue before they go back to work.</summary>
    public bool HasRelease { get; }

    public string Destination { get; }

    /// <summary>What the point adds to the ladder.</summary>
    public TopologyPlan PointPlan { get; }
}
