using Microsoft.Extensions.Logging;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Takes scheduled messages whose time has come to where they go.</summary>
/// <remarks>Any number of processes may run one; the broker gives the messages to one of them. What fails is tried again, for ever.</remarks>
internal sealed class ScheduleDispatcher(ScheduleDispatcherOptions options, TimeProvider time, Random random, ILogger logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly DispatchReporter _reporter = new(time, logger);

    /// <summary>Gets what it does.</summary>
    public DispatchStatus Status => _reporter.Status;

    /// <summary>Gets what does not go well, or <see langword="null"/>.</summary>
    public string? Trouble => _reporter.Trouble;

    /// <summary>Runs until it is cancelled. It never throws: no dispatcher is a state to be said, not an error to die of.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        ScheduleMetrics.Add(_reporter);
        var cancels = new CancelReporter(_reporter, time, logger);
        var pause = FirstPause;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var session = await DispatchSession.OpenAsync(options, _reporter, cancels, time, random, cancellationToken).ConfigureAwait(false);
                await using var ends = session.ConfigureAwait(false);
                var began = time.GetTimestamp();
                _reporter.IsDown(await session.RunAsync(cancellationToken).ConfigureAwait(false));
                // one that ends as soon as it has begun is no reason to hurry
                pause = time.GetElapsedTime(began) > LongestPause ? FirstPause : pause;
            }
#pragma warning disable CA1031 // whatever it was, without a dispatcher nothing that was scheduled arrives: it is said, and tried again
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                _reporter.IsDown(BrokerFailures.Explain(exception));
            }
            catch (Exception)
            {
                // it ends anyway, and what it held the broker gives to the next
            }
#pragma warning restore CA1031

            await Task.Delay(random.Around(pause), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }

        ScheduleMetrics.Remove(_reporter);
    }
}
