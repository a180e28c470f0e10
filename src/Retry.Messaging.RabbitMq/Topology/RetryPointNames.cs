using System.Text;
using Retry.Messaging.Naming;

namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>The queues of one retry point.</summary>
/// <param name="Work">The work queue.</param>
/// <param name="Release">Where messages wait for the limiter.</param>
/// <param name="Parked">The parking lot.</param>
public sealed record RetryPointNames(string Work, string Release, string Parked)
{
    /// <summary>The names for a work queue.</summary>
    /// <param name="workQueue">The work queue's name.</param>
    public static RetryPointNames For(string workQueue) =>
        new(workQueue, BrokerNames.ReleaseQueue(workQueue), BrokerNames.ParkedQueue(workQueue));

    /// <summary>Tells why these names cannot be those of a retry point, or <see langword="null"/> when they can.</summary>
    /// <param name="hasRelease">Whether the point has a release queue, because it is limited or isolated.</param>
    /// <remarks>A name that does not fit is found when a message fails, at every one of its attempts; so it is refused before.</remarks>
    internal string? WhyUnusable(bool hasRelease)
    {
        if (BrokerNames.WhyNotADestination(Work) is { } unusable)
        {
            return unusable;
        }

        if (BrokerNames.IsReserved(Work))
        {
            return $"Queue '{Work}' cannot be a retry point: names that begin with {BrokerNames.BrokerPrefix} or {BrokerNames.LadderPrefix} are the broker's and the ladder's own. Rename the queue or call DisableGradientRetry on its endpoint.";
        }

        var bytes = Encoding.UTF8.GetByteCount(Release);
        return hasRelease && bytes > BrokerNames.MaxDestinationBytes
            ? $"Queue '{Work}' cannot be limited or isolated: found a release queue whose name has {bytes} bytes, wanted {BrokerNames.MaxDestinationBytes} at most. Shorten the queue's name by {bytes - BrokerNames.MaxDestinationBytes} bytes, or take LimitRedelivery and Isolated away."
            : null;
    }
}
