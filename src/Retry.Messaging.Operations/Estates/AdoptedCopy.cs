using RabbitMQ.Client;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Operations.Estates;

/// <summary>What a message of an error queue looks like in a parking lot: as it was, and with what its headers told put into ours.</summary>
internal static class AdoptedCopy
{
    /// <summary>The properties of the copy.</summary>
    /// <param name="message">The message, as it was read from its error queue; it keeps that id.</param>
    /// <param name="original">Its properties.</param>
    /// <param name="workQueue">The work queue in whose parking lot it comes to lie.</param>
    public static BasicProperties Of(ParkedMessage message, IReadOnlyBasicProperties original, string workQueue) => Republication.With(
        original,
        new RetryState
        {
            Id = message.Id,
            Attempt = message.Attempts + 1,
            FirstFailedAt = message.ParkedAt,
            Error = message.Error,
            Reason = message.Reason == default ? ParkReason.Failed : message.Reason,
            // a replay goes to the queue itself; which exchange it came by the first time, nothing tells
            Kept = Republication.Keep(original, string.Empty, workQueue, expiresAt: null),
        },
        workQueue);
}
