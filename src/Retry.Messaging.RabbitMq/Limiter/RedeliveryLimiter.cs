using Microsoft.Extensions.Logging;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Moves messages from a release queue to its work queue under one cap for the whole cluster.</summary>
/// <remarks>Any number of instances may run; the broker gives the messages to one of them. What fails is tried again, for ever.</remarks>
internal sealed class RedeliveryLimiter(LimiterOptions options, TimeProvider time, Random random, ILogger logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly LimiterMonitor _monitor = new(options.Names.Work, time, logger);

    /// <summary>Gets what this instance does.</summary>
    public LimiterStatus Status => _monitor.Status;

    /// <summary>Runs until it is cancelled. It never throws: no limiter is a state to be said, not an error to die of.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        LimiterMetrics.Add(_monitor);
        var pause = FirstPause;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var connection = await LimiterConnection.OpenAsync(options, time, cancellationToken).ConfigureAwait(false);
                await using var ends = connection.ConfigureAwait(false);
                _monitor.IsAt(connection.Cluster, connection.VirtualHost);
                var session = await LimiterSession.OpenAsync(connection, options, _monitor.Known, _monitor, time, cancellationToken).ConfigureAwait(false);
                try
                {
                    await session.RunAsync(cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    pause = session.WasActive ? FirstPause : pause;
                }
            }
#pragma warning disable CA1031 // whatever it was, without a limiter nothing is redelivered: it is said, and tried again
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                _monitor.Is(LimiterActivity.Down, BrokerFailures.Explain(exception));
            }
            catch (Exception)
            {
                // it ends anyway, and what it held the broker gives to the next
            }
#pragma warning restore CA1031

            await Task.Delay(random.Around(pause), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }

        LimiterMetrics.Remove(_monitor);
        _monitor.HasEnded();
    }
}
