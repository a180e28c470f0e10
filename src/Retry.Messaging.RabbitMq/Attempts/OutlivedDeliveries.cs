using Retry.Messaging.Decisions;
using Retry.Messaging.Outcomes;

namespace Retry.Messaging.RabbitMq.Attempts;

/// <summary>Parks what has waited beyond its validity, as Expired, instead of having it consumed.</summary>
/// <remarks>A retry that is due at the very end of its validity arrives a moment later, and runs.</remarks>
internal sealed class OutlivedDeliveries(string queue, OutcomeSettler settler, TimeProvider time)
{
    /// <summary>How long after its validity a message may still come to be delivered.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Parks a delivery whose validity is over.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="unconsumed">Makes the attempt of a delivery that nobody consumes.</param>
    /// <param name="cancellationToken">Cancelled when the delivery is lost or the host stops.</param>
    /// <returns>Whether it did.</returns>
    public async Task<bool> ParkAsync(RetryDelivery delivery, Func<RetryDecision, IAttempt> unconsumed, CancellationToken cancellationToken)
    {
        // most deliveries are first ones, and have none: no clock is read for them
        if (delivery.State.Deadline is not { } deadline || time.GetUtcNow() - deadline <= Grace)
        {
            return false;
        }

        var exception = new OutlivedMessageException(queue, deadline);
        var park = new RetryDecision.Park(ParkReason.Expired, delivery.State with { DueAt = null });
        using var attempt = unconsumed(park);
        await settler.ParkAsync(attempt, delivery, park, exception, exception.Message, cancellationToken).ConfigureAwait(false);
        return true;
    }
}
