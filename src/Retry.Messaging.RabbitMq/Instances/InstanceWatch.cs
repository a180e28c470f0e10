using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Instances;

/// <summary>Tells a message that came back from a process that died from one that was only cut off.</summary>
/// <remarks>
/// <list type="number">
/// <item>Before an instance consumes, it says so in a stream and shows a sign of life (<see cref="InstanceSession"/>).</item>
/// <item>Before it cuts off its first delivery, an instance that is stopped in good order says that, too.</item>
/// <item>A message comes back. An instance that served its queue has no sign of life and has not said that it stops: it died. Otherwise the
/// message was cut off by a restart, and is consumed like any other.</item>
/// </list>
/// Which instance held which message is not known, so a death counts against all that comes back in the ten minutes after it.
/// </remarks>
internal sealed partial class InstanceWatch(InstanceFacts facts, TimeProvider time, ILogger logger)
{
    // the broker returns deliveries and takes the sign of life away at once, but not in one step
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FailurePause = TimeSpan.FromSeconds(30);
    private static readonly string By = $"{Environment.MachineName}:{Environment.ProcessId}";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, ServedPoint> _points = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (long At, Task<bool?> Died)> _looks = new(StringComparer.Ordinal);
    private string _instance = NewInstance();
    private IConnection? _connection;
    private IConnection? _openedOn;
    private Task<InstanceSession>? _session;
    private long _opened;
    private string? _trouble;

    /// <summary>Gets the id of the instance that this process is on this bus at the moment.</summary>
    public string Instance => Volatile.Read(ref _instance);

    /// <summary>Has an instance say that it is about to consume from a point's queue. Start-up does not fail here, and waits for 10 s at most.</summary>
    /// <param name="connection">The connection that the deliveries come by.</param>
    /// <param name="point">The point.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task BeginAsync(IConnection connection, ServedPoint point, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _connection = connection;
            _points[point.Queue] = point;
        }

        using var patience = new CancellationTokenSource(StartPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            var session = await SessionAsync(connection).WaitAsync(either.Token).ConfigureAwait(false);
            await session.BeginAsync(point, either.Token).ConfigureAwait(false);
            // instances that are missing already are known from now on
            _ = LookAsync(point.Queue);
        }
#pragma warning disable CA1031 // without it a killer is found later, or not: that is said, and the service runs
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Say(connection, exception);
        }
#pragma warning restore CA1031
    }

    /// <summary>Has the instance say what has changed of a point that it serves, if it has said that it does.</summary>
    public async Task ChangeAsync(ServedPoint point)
    {
        Task<InstanceSession>? session;
        lock (_lock)
        {
            if (!_points.ContainsKey(point.Queue))
            {
                return;
            }

            _points[point.Queue] = point;
            session = _session;
        }

        if (session is not { IsCompletedSuccessfully: true })
        {
            // it says what it knows when it opens
            return;
        }

        using var patience = new CancellationTokenSource(StopPatience, time);
        try
        {
            await (await session.ConfigureAwait(false)).ChangeAsync(point, patience.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // for people only: the next session says it again
        catch (Exception)
        {
        }
#pragma warning restore CA1031
    }

    /// <summary>Has the instance say that it stops. It waits for 2 s at most; the stop goes on in any case.</summary>
    public async Task EndAsync()
    {
        Task<InstanceSession>? ending;
        lock (_lock)
        {
            // started again, a bus is another instance
            (ending, _session) = (_session, null);
            _connection = null;
            _instance = NewInstance();
            _points.Clear();
        }

        if (ending is not { IsCompletedSuccessfully: true })
        {
            return;
        }

        using var patience = new CancellationTokenSource(StopPatience, time);
        try
        {
            var session = await ending.ConfigureAwait(false);
            await session.EndAsync(patience.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // the stop goes on; what it cuts off is taken for what a dead process left
        catch (Exception exception)
        {
            LogStopNotSaid(exception is OperationCanceledException ? $"the broker did not take it within {StopPatience.TotalSeconds:0} s" : exception.Message.TrimEnd('.'));
        }
#pragma warning restore CA1031
    }

    /// <summary>Tells whether a process died that may have held a message which has come back just now.</summary>
    /// <param name="queue">The message's queue.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns><see langword="null"/> when that is not known.</returns>
    public async Task<bool?> HasSomebodyDiedAsync(string queue, CancellationToken cancellationToken)
    {
        await Task.Delay(Settle, time, cancellationToken).ConfigureAwait(false);
        return await LookAsync(queue).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    // one look serves all that came back together
    private Task<bool?> LookAsync(string queue)
    {
        lock (_lock)
        {
            if (_looks.TryGetValue(queue, out var look) && time.GetElapsedTime(look.At) < Fresh)
            {
                return look.Died;
            }

            var looking = LookAnewAsync(queue);
            _looks[queue] = (time.GetTimestamp(), looking);
            return looking;
        }
    }

    private async Task<bool?> LookAnewAsync(string queue)
    {
        await Task.Yield();
        IConnection? connection;
        lock (_lock)
        {
            connection = _connection;
        }

        if (connection is not { IsOpen: true })
        {
            // an instance that stops consumes what still comes, or has it cut off
            return connection is null ? false : null;
        }

        using var patience = new CancellationTokenSource(StartPatience, time);
        try
        {
            var session = await SessionAsync(connection).WaitAsync(patience.Token).ConfigureAwait(false);
            return await session.HasSomebodyDiedAsync(queue, patience.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // whatever it was, the answer is not known
        catch (Exception exception)
        {
            Say(connection, exception);
            return null;
        }
#pragma warning restore CA1031
    }

    private Task<InstanceSession> SessionAsync(IConnection connection)
    {
        lock (_lock)
        {
            var isUsable = _session is { } session && _openedOn == connection
                && (!session.IsCompleted || session is { IsCompletedSuccessfully: true, Result.IsOpen: true });
            if (_session is null || _openedOn != connection || (!isUsable && time.GetElapsedTime(_opened) >= FailurePause))
            {
                _openedOn = connection;
                _opened = time.GetTimestamp();
                _session = OpenAsync(connection, _instance, [.. _points.Values]);
            }

            return _session;
        }
    }

    private async Task<InstanceSession> OpenAsync(IConnection connection, string instance, IReadOnlyList<ServedPoint> points)
    {
        await Task.Yield();
        var session = new InstanceSession(connection, instance, facts, By, time);
        using var patience = new CancellationTokenSource(StartPatience, time);
        await session.OpenAsync(patience.Token).ConfigureAwait(false);
        if (session.IsForgotten)
        {
            // away for so long that the others gave it up
            lock (_lock)
            {
                _instance = NewInstance();
                session = new InstanceSession(connection, _instance, facts, By, time);
            }

            await session.OpenAsync(patience.Token).ConfigureAwait(false);
        }

        await Task.WhenAll(points.Select(point => session.BeginAsync(point, patience.Token))).ConfigureAwait(false);
        return session;
    }

    private static string NewInstance() => Guid.NewGuid().ToString("N")[..16];

    // What lasts is said once. The end of a connection is no trouble when the service stops, and MassTransit logs it otherwise.
    private void Say(IConnection connection, Exception exception)
    {
        var why = exception is OperationCanceledException ? $"the broker did not answer within {StartPatience.TotalSeconds:0} s" : exception.Message;
        if (connection.IsOpen && Interlocked.Exchange(ref _trouble, why) != why)
        {
            LogUnknown(why.TrimEnd('.'));
        }
    }

    [LoggerMessage(LogEvents.InstancesUnknown, LogLevel.Warning, "This service cannot tell whether other instances die: {Reason}. A message that kills its process is found by the broker's count alone, and on a classic queue not at all")]
    private partial void LogUnknown(string reason);

    [LoggerMessage(LogEvents.StopNotSaid, LogLevel.Information, "Stopped without telling the other instances ({Reason}). What this instance cut off waits for some seconds, as if the process had died")]
    private partial void LogStopNotSaid(string reason);
}
