using Retry.Messaging.RabbitMq.Attempts;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>Waits for a consumer, but not for ever once the broker has taken its delivery away.</summary>
/// <remarks>
/// A consumer whose delivery is gone is told by its token. MassTransit waits until all of them have ended before its endpoint consumes
/// again, so one that does not listen stops the endpoint for good.
/// </remarks>
internal static class ConsumerRun
{
    /// <summary>How long a consumer may go on after its delivery was taken away.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Waits until a consumer has ended.</summary>
    /// <param name="running">The consumer.</param>
    /// <param name="delivery">Its delivery.</param>
    /// <param name="time">The clock.</param>
    /// <param name="abandoned">Called when it is not waited for any longer. It may go on, and its message runs again beside it.</param>
    /// <param name="cancellationToken">Cancelled when the delivery is lost or the host stops.</param>
    /// <returns>What it threw, or <see langword="null"/>. It is not thrown once more: each time costs microseconds.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled, or is not waited for any longer.</exception>
    public static async Task<Exception?> EndAsync(Task running, RetryDelivery delivery, TimeProvider time, Action abandoned, CancellationToken cancellationToken)
    {
        await running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!running.IsCompleted)
        {
            var stopping = delivery.Telemetry.Health.Held.Stopping;
            if (delivery.IsConnected
                && await Task.WhenAny(running, stopping, Task.Delay(Patience, time, CancellationToken.None)).ConfigureAwait(false) != running
                && !stopping.IsCompleted)
            {
                abandoned();
                _ = running.ContinueWith(
                    static ended => _ = ended.Exception,
                    CancellationToken.None,
                    TaskContinuationOptions.OnlyOnFaulted,
                    TaskScheduler.Default);
                throw new OperationCanceledException(cancellationToken);
            }

            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (running.IsCanceled)
        {
            await running.ConfigureAwait(false);
        }

        return running.Exception?.InnerException;
    }
}
