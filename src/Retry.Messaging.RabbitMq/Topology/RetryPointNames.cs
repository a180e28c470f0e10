using System.Text;
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

    /// <summary>Tells why these names cannot be those of a retry point, or <see langword="null"/> when they can.</summary>
    /// <param name="hasRelease">Whether the point has a release queue, because it is limited or isolated.</param>
    /// <remarks>A name that does not fit is found when a message fails, at every one of its attempts; so it is refused before.</remarks>
    internal string? WhyUnusable(bool hasRelease)
    {
        if (BrokerNames.WhyNotADestination(Work) is { } unusable)
        {
            return unusable;
        }

        if (hasRelease && WhyNotADerivedDestination() is { } release)
        {
            return $"Queue '{Work}' cannot be limited or isolated: {release}";
        }

        if (string.IsNullOrEmpty(Parked) || Encoding.UTF8.GetByteCount(Parked) > BrokerNames.MaxQueueBytes)
        {
            return $"Queue '{Work}' cannot have a parking lot: found '{Parked}' as its name, wanted 1 to {BrokerNames.MaxQueueBytes} bytes. Shorten the queue's name, or what QueueNames makes of it.";
        }

        if (BrokerNames.IsReserved(Parked) || (hasRelease && BrokerNames.IsReserved(Release)))
        {
            return $"Queue '{Work}' cannot be a retry point: found '{Release}' and '{Parked}' as names of its release queue and its parking lot, wanted none that begins with {BrokerNames.BrokerPrefix} or {BrokerNames.LadderPrefix}: those are the broker's and the ladder's own. Mend QueueNames.";
        }

        return Parked == Work || (hasRelease && (Release == Work || Release == Parked))
            ? $"Queue '{Work}' cannot be a retry point: found '{Release}' and '{Parked}' as names of its release queue and its parking lot, wanted three different names. Mend QueueNames."
            : null;
    }

    private string? WhyNotADerivedDestination()
    {
        if (BrokerNames.WhyNotADestination(Release) is null)
        {
            return null;
        }

        var bytes = Encoding.UTF8.GetByteCount(Release ?? string.Empty);
        return bytes > BrokerNames.MaxDestinationBytes
            ? $"found a release queue whose name has {bytes} bytes, wanted {BrokerNames.MaxDestinationBytes} at most. Shorten the queue's name by {bytes - BrokerNames.MaxDestinationBytes} bytes, or take LimitRedelivery and Isolated away."
            : $"found '{Release}' as the name of its release queue, wanted a name without the words * and #. Mend QueueNames.";
    }
}
