using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Empties the release queue of a point that has no limit any more.</summary>
/// <remarks>
/// Only while nobody else consumes it: beside an instance that still has the limit it would take the messages past the cap.
/// A point that never had a release queue costs one look when it starts: looking for what is not there is an error in the broker's log.
/// </remarks>
internal sealed partial class ReleaseDrain(LimiterOptions options, TimeProvider time, Random random, ILogger logger)
{
    private static readonly TimeSpan LookPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FailurePause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DrainLook = TimeSpan.FromMilliseconds(500);

    /// <summary>Looks, and drains what is left behind, until there is no release queue, the connection closes or it is cancelled.</summary>
    /// <param name="connection">The connection to look on; the messages go over one of the limiter's own.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(IConnection connection, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested && connection.IsOpen)
        {
            try
            {
                await WatchAsync(connection, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (Exception exception) when (exception is OperationCanceledException or LimiterException or OperationInterruptedException or AlreadyClosedException or IOException or ObjectDisposedException or TimeoutException)
            {
                // the connection is gone, and the point starts another with the next; or the drain failed, and starts anew
                await Task.Delay(FailurePause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task WatchAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var look = new QueueLook(connection);
        await using var ends = look.ConfigureAwait(false);
        while (await look.FindAsync(options.Names.Release, cancellationToken).ConfigureAwait(false) is { } found)
        {
            if (found is { MessageCount: > 0, ConsumerCount: 0 })
            {
                LogDrains(options.Names.Work, found.MessageCount);
                await DrainAsync(look, cancellationToken).ConfigureAwait(false);
            }

            await Task.Delay(LookPause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task DrainAsync(QueueLook look, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var run = new RedeliveryLimiter(options with { Limit = null }, time, random, logger).RunAsync(stop.Token);
        try
        {
            QueueDeclareOk? found;
            do
            {
                await Task.Delay(DrainLook, time, cancellationToken).ConfigureAwait(false);
                found = await look.FindAsync(options.Names.Release, cancellationToken).ConfigureAwait(false);
            }
            while (found is { MessageCount: > 0, ConsumerCount: <= 1 });
        }
        finally
        {
            // what it holds unconfirmed is settled, the rest given back
            await stop.CancelAsync().ConfigureAwait(false);
            await run.ConfigureAwait(false);
        }
    }

    [LoggerMessage(LogEvents.ReleaseDrained, LogLevel.Information, "{Queue}: the release queue is emptied into the work queue, because the point no longer has a limit. Messages: {Count}")]
    private partial void LogDrains(string queue, uint count);
}
