using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Empties the release queue of a point that has no limit any more.</summary>
/// <remarks>
/// Only where it has had no consumer for a while: an instance with the limit that is restarted is away for some seconds, and its
/// messages are under the cap. One that comes back while the queue is emptied says its limit, which holds from then on.
/// Where there is no release queue it looks once an hour, since looking for what is not there is an error in the broker's log. Another
/// instance may have had the limit for an hour and be gone again, while this one has been there all the time.
/// </remarks>
internal sealed partial class ReleaseDrain(LimiterOptions options, TimeProvider time, Random random, ILogger logger)
{
    private static readonly TimeSpan LookPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AbsentPause = TimeSpan.FromHours(1);
    private static readonly TimeSpan FailurePause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DrainLook = TimeSpan.FromMilliseconds(500);

    // a limiter tries again after 6 s at most
    private const int LooksInARow = 3;

    /// <summary>Looks, and drains what is left behind, until the connection closes or it is cancelled.</summary>
    /// <param name="connection">The connection to look on; the messages go over one of the limiter's own.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(IConnection connection, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested && connection.IsOpen)
        {
            try
            {
                await WatchAsync(connection, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is LimiterException || BrokerFailures.IsGoneOrSilent(exception))
            {
                // the connection is gone, and the point starts another with the next; or the drain failed, and starts anew
                await Task.Delay(FailurePause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task WatchAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var look = new PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        var deserted = 0;
        while (true)
        {
            var found = await look.FindQueueAsync(options.Names.Release, cancellationToken).ConfigureAwait(false);
            deserted = found is { MessageCount: > 0, ConsumerCount: 0 } ? deserted + 1 : 0;
            if (deserted == LooksInARow)
            {
                deserted = 0;
                LogDrains(options.Names.Work, found!.MessageCount);
                await DrainAsync(look, cancellationToken).ConfigureAwait(false);
            }

            await Task.Delay(found is null ? random.Around(AbsentPause) : LookPause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task DrainAsync(PassiveLook look, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var run = new RedeliveryLimiter(options with { Limit = null }, time, random, logger).RunAsync(stop.Token);
        try
        {
            QueueDeclareOk? found;
            do
            {
                await Task.Delay(DrainLook, time, cancellationToken).ConfigureAwait(false);
                found = await look.FindQueueAsync(options.Names.Release, cancellationToken).ConfigureAwait(false);
            }
            while (found is { MessageCount: > 0 });
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
