using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>Has a process take part in sending recurring messages, on the connection of its dispatcher, and lets its code write what recurs.</summary>
/// <param name="instance">Who writes, for people.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Where pauses are drawn from.</param>
/// <param name="logger">Where it says what it does.</param>
internal sealed class RecurrenceRunner(string instance, TimeProvider time, Random random, ILogger logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly RecurrenceReporter _reporter = new(time, logger);
    private readonly Lock _lock = new();
    private TaskCompletionSource<RecurrenceWriter> _writer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Runs until the connection ends. It never throws: what fails is said, and tried again.</summary>
    public async Task RunAsync(IConnection connection, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested && connection.IsOpen)
        {
            try
            {
                await RunOnceAsync(connection, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // whatever it was, nothing recurs without it: it is said, and tried again
            catch (Exception exception)
            {
                if (connection.IsOpen)
                {
                    _reporter.IsDown(BrokerFailures.Explain(exception));
                }
            }
#pragma warning restore CA1031

            await Task.Delay(random.Around(Pause), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>What recurrences are written by, as soon as the log can be.</summary>
    /// <exception cref="TimeoutException">That took too long.</exception>
    public Task<RecurrenceWriter> WriterAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _writer.Task.WaitAsync(atMost, time, cancellationToken);
        }
    }

    private async Task RunOnceAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var book = new RecurrenceBook();
        var wakeUp = new WakeUp(time);
        var log = await ControlLog.OpenAsync(
            new RecordStream(connection, BrokerNames.ControlStream, ControlLog.Retention, time),
            declare: true,
            record =>
            {
                book.Read(record);
                wakeUp.Set();
            },
            wakeUp.Set,
            cancellationToken).ConfigureAwait(false);
        await using var logEnds = log.ConfigureAwait(false);
        var turn = await RecurrenceTurn.TakePartAsync(connection, wakeUp, time, cancellationToken).ConfigureAwait(false);
        await using var turnEnds = turn.ConfigureAwait(false);
        var publisher = new ConfirmedPublisher(connection, time: time);
        await using var publisherEnds = publisher.ConfigureAwait(false);
        var session = new RecurrenceSession(log, book, turn, PublishAsync, wakeUp, _reporter, instance, time);
        Announce(new RecurrenceWriter(log, book, instance, time));
        try
        {
            await session.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Announce(null);
        }

        Task PublishAsync(OutcomeMessage message, CancellationToken cancellation)
        {
            HeaderFrame.Fit(message.Properties, connection.FrameMax);
            return publisher.PublishAsync(message.Exchange, message.RoutingKey, message.Properties, message.Body, cancellation);
        }
    }

    private void Announce(RecurrenceWriter? writer)
    {
        lock (_lock)
        {
            if (writer is not null)
            {
                _writer.TrySetResult(writer);
            }
            else
            {
                _writer = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }
}
