using Retry.Messaging.Naming;

namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>The queues of one retry point.</summary>
/// <param name="Work">The work queue.</param>
/// <param name="Release">Where messages wait for the limiter.</param>
/// <param name="Parked">The parking lot.</param>
public sealed record RetryPointNames(string Work, string Release, string Parked)
{
    /// <summary>The default names for a work queue.</summary>
    /// <param name="workQueue">The work queue's name.</param>
    public static RetryPointNames For(string workQueue) =>
        new(workQueue, BrokerNames.ReleaseQueue(workQueue), BrokerNames.ParkedQueue(workQueue));
}
