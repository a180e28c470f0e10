using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.RabbitMq.Lost;

/// <summary>Sends lost messages on when their destination is back: one service does it for the whole virtual host.</summary>
/// <remarks>
/// <list type="number">
/// <item>Every service calls now and then: it publishes a message without content into a queue that has one active consumer. The
/// service that is given the call looks. When it goes, the broker gives the next call to another.</item>
/// <item>It counts what lies in the lost queue, and asks for each queue that was missing last time. Nothing new, none back: that
/// was all. So a hundred thousand messages whose queue never comes back cost two questions a round.</item>
/// <item>Otherwise it reads the lost queue once, over a connection of its own, and repeats the last step of what may go on
/// (<see cref="LostForwarding"/>), as <c>lost replay</c> does. What stays was held for some seconds, and is where it was.</item>
/// <item>What the broker does not take although its queue is there (a rung is missing, the queue is full) is read again soon,
/// then at pauses that double.</item>
/// <item>While an operator reads there it does nothing, and looks again at the next call.</item>
/// </list>
/// </remarks>
/// <param name="lostFor">What was lost longer ago waits for an operator; zero for all.</param>
/// <param name="binds">Whether it binds destinations before it sends to them. It does not where services may not declare.</param>
/// <param name="rounds">When it looks.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Where the pauses are drawn from.</param>
/// <param name="logger">Where it says what it did.</param>
internal sealed partial class LostMover(TimeSpan lostFor, bool binds, LostRounds rounds, TimeProvider time, Random random, ILogger logger)
{
    private static readonly TimeSpan FailurePause = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly LostForwarding _forwarding = new(lostFor, rounds.LooksAtMost);
    private IConnection? _connection;
    private long? _left;
    private long _lookedAt;
    private long _readAt;
    private int _refusals;
    private string? _trouble;

    /// <summary>Takes part in the looking after, until the connection closes.</summary>
    /// <param name="connection">The connection of the bus; all its endpoints may call.</param>
    /// <param name="connect">Opens a connection for reading.</param>
    public void Start(IConnection connection, Func<CancellationToken, Task<IConnection>> connect)
    {
        lock (_lock)
        {
            if (lostFor <= TimeSpan.Zero || ReferenceEquals(_connection, connection))
            {
                return;
            }

            _connection = connection;
        }

        _ = RunAsync(connection, connect);
    }

    private async Task RunAsync(IConnection connection, Func<CancellationToken, Task<IConnection>> connect)
    {
        await Task.Yield();
        using var stop = new CancellationTokenSource();
        connection.ConnectionShutdownAsync += OnShutdownAsync;
        try
        {
            await PauseAsync(rounds.First).ConfigureAwait(false);
            while (connection.IsOpen)
            {
                try
                {
                    await TakePartAsync(connection, connect, stop.Token).ConfigureAwait(false);
                }
#pragma warning disable CA1031 // whatever it was, what is lost stays where it is; it is said, and tried again
                catch (Exception exception) when (connection.IsOpen)
                {
                    Say(BrokerFailures.Explain(exception));
                }
                catch (Exception)
                {
                    // the connection is gone, and the next one takes part again
                }
#pragma warning restore CA1031

                await PauseAsync(FailurePause).ConfigureAwait(false);
            }
        }
        finally
        {
            connection.ConnectionShutdownAsync -= OnShutdownAsync;
        }

        async Task PauseAsync(TimeSpan pause) => await Task.Delay(pause, time, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        async Task OnShutdownAsync(object sender, RabbitMQ.Client.Events.ShutdownEventArgs args) => await stop.CancelAsync().ConfigureAwait(false);
    }

    private async Task TakePartAsync(IConnection connection, Func<CancellationToken, Task<IConnection>> connect, CancellationToken cancellationToken)
    {
        var calls = await MoverCalls.OpenAsync(connection, time, cancellationToken).ConfigureAwait(false);
        await using var ends = calls.ConfigureAwait(false);
        while (true)
        {
            await calls.CallAsync(cancellationToken).ConfigureAwait(false);
            var called = time.GetTimestamp();
            var pause = random.Around(rounds.Interval);
            while (pause - time.GetElapsedTime(called) is var left && left > TimeSpan.Zero)
            {
                if (await calls.WaitAsync(left, cancellationToken).ConfigureAwait(false)
                    && (_lookedAt == 0 || time.GetElapsedTime(_lookedAt) >= rounds.Shortest))
                {
                    _lookedAt = time.GetTimestamp();
                    await LookAsync(connection, connect, cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }

    private async Task LookAsync(IConnection connection, Func<CancellationToken, Task<IConnection>> connect, CancellationToken cancellationToken)
    {
        var look = new PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        if (await look.FindQueueAsync(BrokerNames.LostQueue, cancellationToken).ConfigureAwait(false) is not { ConsumerCount: 0 } lost)
        {
            return;
        }

        var isNews = lost.MessageCount != _left || _forwarding.IsUnfinished || time.GetElapsedTime(_readAt) >= rounds.AnewAfter(_refusals);
        if (isNews)
        {
            _forwarding.Begin();
        }
        else
        {
            foreach (var queue in _forwarding.Missing.OrderBy(_ => random.Next()).Take(rounds.LooksAtMost))
            {
                if (await look.FindQueueAsync(queue, cancellationToken).ConfigureAwait(false) is not null)
                {
                    _forwarding.IsBack(queue);
                    isNews = true;
                }
            }
        }

        if (lost.MessageCount > 0 && isNews)
        {
            _left = lost.MessageCount - await ForwardAsync(connect, cancellationToken).ConfigureAwait(false);
            _readAt = time.GetTimestamp();
            _refusals = _forwarding.Refusal is null ? 0 : _refusals + 1;
        }
        else
        {
            _left = lost.MessageCount;
        }

        Say(_forwarding.Refusal);
    }

    private async Task<long> ForwardAsync(Func<CancellationToken, Task<IConnection>> connect, CancellationToken cancellationToken)
    {
        var connection = await connect(cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var messages = new LostMessages(connection, time) { ByItself = _forwarding, Binds = binds };
        var moved = new Dictionary<string, int>(StringComparer.Ordinal);
        try
        {
            await foreach (var message in messages.ReplayAsync(
                ParkedFilter.All,
                LostForwarding.PlanPrefix + Guid.NewGuid().ToString("N")[..8],
                progress: null,
                cancellationToken).ConfigureAwait(false))
            {
                moved[message.WorkQueue] = moved.GetValueOrDefault(message.WorkQueue) + 1;
            }
        }
        finally
        {
            if (moved.Count > 0)
            {
                LogMoved(moved.Values.Sum(), string.Join(", ", moved.Select(queue => $"{queue.Value} for '{queue.Key}'")), BrokerNames.LostQueue);
            }
        }

        return moved.Values.Sum();
    }

    // what lasts is said once
    private void Say(string? why)
    {
        if (why == _trouble)
        {
            return;
        }

        _trouble = why;
        if (why is not null)
        {
            LogNotMoved(BrokerNames.LostQueue, why.TrimEnd('.'));
        }
    }

    [LoggerMessage(LogEvents.LostMoved, LogLevel.Information, "Sent {Count} lost messages on, since their queues are back: {Queues}. They were in '{Lost}'")]
    private partial void LogMoved(int count, string queues, string lost);

    [LoggerMessage(LogEvents.LostNotMoved, LogLevel.Warning, "The service could not send on what is in '{Lost}': {Reason}. It tries again by itself, at most 10 minutes later; 'retryctl lost replay --all' does it by hand")]
    private partial void LogNotMoved(string lost, string reason);
}
