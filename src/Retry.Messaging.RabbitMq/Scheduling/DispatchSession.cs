using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Cancelling;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>One connection of a dispatcher: from the schedule queue to where each message goes.</summary>
/// <remarks>
/// The life of a scheduled message:
/// <list type="number">
/// <item>The sender publishes it to the ladder instead of to where it goes; the way is in a header (<see cref="ScheduleClimb"/>).</item>
/// <item>It comes off the ladder into the schedule queue, which has one active consumer in the whole cluster.</item>
/// <item>It is not due yet, since it waits for longer than the ladder is long: it climbs again for the rest.</item>
/// <item>It was cancelled: it ends here. Nothing is dispatched by who does not know what was (<see cref="CancellationLog"/>).</item>
/// <item>It is due: published, mandatory, to its exchange (<see cref="ScheduleHandover"/>), and acknowledged when that is confirmed.</item>
/// <item>Its exchange is gone, or leads to no queue: the lost queue has it, with the cause.</item>
/// <item>Its destination refuses it, or is silent: it climbs again for some seconds, and says that there may be a copy.</item>
/// </list>
/// </remarks>
internal sealed class DispatchSession : ICancellationObserver, IAsyncDisposable
{
    /// <summary>How many messages a dispatcher holds at most. Half of them may wait for silent destinations (<see cref="Destinations.MostWaiting"/>).</summary>
    public const ushort Prefetch = 2000;

    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(10);

    private readonly IConnection _connection;
    private readonly DispatchReporter _reporter;
    private readonly CancelReporter _cancels;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _over = new();
    private CancellationLog? _cancelled;
    private ScheduleHandover? _handover;
    private Task _beside = Task.CompletedTask;
    private int _held;

    private DispatchSession(IConnection connection, DispatchReporter reporter, CancelReporter cancels, TimeProvider time)
    {
        _cancels = cancels;
        _connection = connection;
        _reporter = reporter;
        _time = time;
        connection.ConnectionShutdownAsync += (_, args) => EndAsync($"the connection closed: {args.ReplyCode} {args.ReplyText}");
    }

    /// <summary>Connects, has the topology looked after, and reads what has been cancelled.</summary>
    public static async Task<DispatchSession> OpenAsync(
        ScheduleDispatcherOptions options,
        DispatchReporter reporter,
        CancelReporter cancels,
        TimeProvider time,
        Random random,
        CancellationToken cancellationToken)
    {
        var (user, virtualHost) = (string.Empty, string.Empty);
        var connection = await options.ConnectAsync(Prepare, cancellationToken).ConfigureAwait(false);
        reporter.Connected(RetryConnection.Of(connection).Cluster, virtualHost);
        var session = new DispatchSession(connection, reporter, cancels, time);
        try
        {
            await options.ConnectedAsync(connection, cancellationToken).ConfigureAwait(false);
            var stream = new RecordStream(connection, BrokerNames.CancelledStream, CancellationLog.Retention, time);
            session._cancelled = await CancellationLog.OpenAsync(stream, isDispatcher: true, session, time, cancellationToken).ConfigureAwait(false);
            var back = new ConfirmedPublisher(connection, Prefetch, time);
            var outward = new DestinationPublisher(connection, user, options, () => back.BlockedReason is not null, time);
            session._handover = new ScheduleHandover(outward, back, connection.FrameMax, session._cancelled, reporter, cancels, time, random);
            session._beside = options.BesideAsync(connection, session._over.Token);
            return session;
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        void Prepare(ConnectionFactory factory)
        {
            factory.AutomaticRecoveryEnabled = false;
            factory.RequestedHeartbeat = Heartbeat;
            (user, virtualHost) = (factory.UserName, factory.VirtualHost);
        }
    }

    /// <summary>Dispatches until it is cancelled or the connection ends.</summary>
    /// <returns>Why it ended; <see langword="null"/> when it was cancelled.</returns>
    public async Task<string?> RunAsync(CancellationToken cancellationToken)
    {
        var channel = await _connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        channel.ChannelShutdownAsync += (_, args) => EndAsync($"the channel closed: {args.ReplyCode} {args.ReplyText}");
        await channel.BasicQosAsync(0, Prefetch, global: false, cancellationToken).ConfigureAwait(false);
        var acknowledgements = new DispatchAcknowledgements(channel, exception => _ = EndAsync(BrokerFailures.Explain(exception)), _time);
        var consumer = new ScheduleConsumer(channel, delivery => _ = HandleAsync(acknowledgements, delivery), reason => _ = EndAsync(reason));
        var tag = await channel.BasicConsumeAsync(
            BrokerNames.ScheduleQueue,
            autoAck: false,
            string.Empty,
            noLocal: false,
            exclusive: false,
            ConsumerPatience.Asked(new HoldTime()),
            consumer,
            cancellationToken).ConfigureAwait(false);
        _reporter.StandsBy();
        try
        {
            return await _ended.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await channel.BasicCancelAsync(tag, noWait: false, CancellationToken.None).ConfigureAwait(false);
            await SettleAsync(acknowledgements).ConfigureAwait(false);
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync("the dispatcher ends").ConfigureAwait(false);
        await _beside.ConfigureAwait(false);
        try
        {
            // the connection takes its channels with it, and the broker puts back what was not acknowledged
            await _connection.CloseAsync(Constants.ReplySuccess, "dispatcher ends", CloseTime, abort: true, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception))
        {
            // gone already
        }

        if (_handover is { } handover)
        {
            await handover.DisposeAsync().ConfigureAwait(false);
        }

        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    void ICancellationObserver.Cancelled(Cancellation cancellation, bool isNew) => _cancels.Cancelled(cancellation, isNew);

    void ICancellationObserver.Waits(string reason) => _reporter.WaitsForCancelled(reason);

    void ICancellationObserver.Failed(string reason) => _ = EndAsync(reason);

    private async Task HandleAsync(DispatchAcknowledgements acknowledgements, ScheduledDelivery delivery)
    {
        Interlocked.Increment(ref _held);
        try
        {
            _reporter.IsActive();
            await _handover!.HandOverAsync(delivery, _over.Token).ConfigureAwait(false);
            acknowledgements.Done(delivery.Tag);
            _reporter.Moved();
        }
        catch (OperationCanceledException) when (_over.IsCancellationRequested)
        {
            // the broker gives it to the next dispatcher
        }
#pragma warning disable CA1031 // a message that is handed over but not acknowledged comes again; whatever it was, the session begins anew
        catch (Exception exception)
        {
            await EndAsync(BrokerFailures.Explain(exception)).ConfigureAwait(false);
        }
#pragma warning restore CA1031
        finally
        {
            Interlocked.Decrement(ref _held);
        }
    }

    // what is on its way is worth waiting for: given back, the next dispatcher would send it a second time
    private async Task SettleAsync(DispatchAcknowledgements acknowledgements)
    {
        var started = _time.GetTimestamp();
        while (Volatile.Read(ref _held) > 0 && !_ended.Task.IsCompleted && _time.GetElapsedTime(started) < SettleTime)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), _time, CancellationToken.None).ConfigureAwait(false);
        }

        await acknowledgements.Told.ConfigureAwait(false);
    }

    private Task EndAsync(string reason)
    {
        _ended.TrySetResult(reason);
        return _over.CancelAsync();
    }
}
