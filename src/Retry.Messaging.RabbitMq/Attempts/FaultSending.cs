using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.RabbitMq.Attempts;

/// <summary>Sends the one Fault of a message that has its outcome, with a CancellationToken of its own.</summary>
/// <remarks>
/// The delivery's token may be cancelled between the two, when the host stops. Sent by that one the Fault fails, the message goes back
/// although it is parked, and is parked again. A host that stops does not wait for ever, though.
/// </remarks>
internal static class FaultSending
{
    /// <summary>How long a Fault may take after its delivery was cancelled.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Sends it, and holds it like any outcome. Its message need not go back when it cannot be sent: the cause is in the parking lot.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="send">Sends it, by the token that it is given.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancelled when the delivery is lost or the host stops.</param>
    /// <returns>Why it was not sent; <see langword="null"/> when it was.</returns>
    /// <exception cref="OutcomeNotConfirmedException">The message must go back, or does so by itself.</exception>
    public static async Task<Exception?> TryAsync(
        RetryDelivery delivery,
        Func<CancellationToken, Task> send,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        using var own = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        using var cancelled = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).CancelAfter(Patience), own);
        var token = own.Token;
        try
        {
            // a transport that waits for a silent broker may not listen
            await delivery.HoldAsync(() => send(token).WaitAsync(token), token).ConfigureAwait(false);
            return null;
        }
#pragma warning disable CA1031 // what else may go wrong is in the exception's own properties, which are a user's code
        catch (Exception unsendable) when (unsendable is not OutcomeNotConfirmedException { EndpointStops: false })
        {
            if (token.IsCancellationRequested)
            {
                return new TimeoutException(
                    $"The host stops or the delivery was lost, and it could not be sent within {Patience.TotalSeconds:0} s after that.",
                    unsendable);
            }

            return unsendable is OutcomeNotConfirmedException { InnerException: { } refusal } ? refusal : unsendable;
        }
#pragma warning restore CA1031
    }
}
