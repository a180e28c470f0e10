using System.Collections.Concurrent;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Configuration;
using Retry.Messaging.Ladder;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.State;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>One connection of a limiter: from the release queue to the work queue, at the point's rate.</summary>
/// <remarks>
/// The life of a message here:
/// <list type="number">
/// <item>The settings are read to their end. What cannot be read is never taken for "nothing is set": nothing is released.</item>
/// <item>The release queue has one active consumer in the whole cluster. Being given a message is how an instance learns
/// that it is the one; it assumes that its predecessor has just used the whole allowance.</item>
/// <item>The message waits in memory for its turn, for the work queue (<see cref="WorkQueueGate"/>), for a broker under an
/// alarm, for the rest of a backoff.</item>
/// <item>It is published on the channel that it came by. An instance that hangs loses its consumer together with the channel,
/// so when it wakes up it can publish nothing.</item>
/// <item>Confirmed: acknowledged, together with what was confirmed meanwhile. Refused (the work queue is full): it is held,
/// and tried alone with a backoff of 1 s to 30 s; it does not go back to the queue. No work queue: the lost queue has it.</item>
/// <item>Held for a quarter of an hour: given back for a moment, since the broker's consumer timeout would close the channel.</item>
/// </list>
/// Everything but the client's callbacks runs in one loop, which owns all state.
/// </remarks>
internal sealed class LimiterSession : IAsyncDisposable
{
    // What may be unconfirmed at once is also what may reach the wire at once after the client's writer was held up, and
    // what may come twice when the process is killed: a tenth of a second of the cap.
    private const int SmallestWindow = 4;
    private const int LargestWindow = 1000;
    private const int SmallestAhead = 32;
    private const double WindowSeconds = 0.1;
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CountPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FineWait = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(2);

    private readonly LimiterOptions _options;
    private readonly LimiterMonitor _monitor;
    private readonly TimeProvider _time;
    private readonly IConnection _connection;
    private readonly WorkQueueGate _gate;
    private readonly LadderRoute _route;
    private readonly RedeliveryPacer _pacer;

    // written by the client's callbacks, read by the loop
    private readonly ConcurrentQueue<LimitedDelivery> _arrived = new();
    private readonly ConcurrentQueue<(ulong Number, bool Multiple, bool Refused)> _answers = new();
    private readonly SemaphoreSlim _something = new(0);
    private volatile string? _ended;
    private volatile string? _blocked;

    // owned by the loop
    private readonly LinkedList<LimitedDelivery> _waiting = [];
    private readonly SortedSet<ulong> _unacknowledged = [];
    private readonly List<ulong> _confirmed = [];
    private readonly InFlight _inFlight = new();
    private SettingsStream? _settings;
    private IChannel? _channel;
    private ReleaseConsumer? _consumer;
    private string? _consumerTag;
    private int _window;
    private bool _active;
    private Task<(string? Closed, uint Ready)>? _look;
    private bool _gateOpen;
    private long _countedAt;
    private long _gateLookedAt;
    private TimeSpan? _backoff;
    private long _backoffSince;

    private LimiterSession(LimiterOptions options, LimiterMonitor monitor, TimeProvider time, IConnection connection)
    {
        _options = options;
        _monitor = monitor;
        _time = time;
        _connection = connection;
        _gate = new WorkQueueGate(connection, options.Names.Work, options.ConsumerPrefetch);
        _route = DelayLadder.Route(TimeSpan.Zero, options.Names.Work);
        _pacer = new RedeliveryPacer(time);
        connection.ConnectionShutdownAsync += OnShutdownAsync;
        connection.ConnectionBlockedAsync += OnBlockedAsync;
        connection.ConnectionUnblockedAsync += OnUnblockedAsync;
    }

    /// <summary>Gets a value indicating whether it has been given a message.</summary>
    public bool WasActive { get; private set; }

    /// <summary>Connects and reads the settings.</summary>
    /// <param name="options">The point.</param>
    /// <param name="known">What was set as far as this process knows; written again should the stream have been made anew.</param>
    /// <param name="monitor">Told what happens.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<LimiterSession> OpenAsync(LimiterOptions options, LimiterSetting? known, LimiterMonitor monitor, TimeProvider time, CancellationToken cancellationToken)
    {
        var connection = await options.ConnectAsync(cancellationToken).ConfigureAwait(false);
        var session = new LimiterSession(options, monitor, time, connection);
        try
        {
            await session.StartAsync(known, cancellationToken).ConfigureAwait(false);
            return session;
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Releases until it is cancelled or the connection ends.</summary>
    /// <exception cref="LimiterException">It cannot go on.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await FollowSettingsAsync().ConfigureAwait(false);
                TakeIn();
                await AcknowledgeAsync().ConfigureAwait(false);
                await StepAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await StopConsumingAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _connection.ConnectionShutdownAsync -= OnShutdownAsync;
        _connection.ConnectionBlockedAsync -= OnBlockedAsync;
        _connection.ConnectionUnblockedAsync -= OnUnblockedAsync;
        try
        {
            // the connection takes its channels with it, and the broker puts back what was not acknowledged
            await _connection.CloseAsync(Constants.ReplySuccess, "limiter ends", CloseTime, abort: true, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is AlreadyClosedException or OperationInterruptedException or IOException or TimeoutException or ObjectDisposedException or OperationCanceledException)
        {
            // gone already
        }

        await _connection.DisposeAsync().ConfigureAwait(false);
        _something.Dispose();
    }

    private async Task StartAsync(LimiterSetting? known, CancellationToken cancellationToken)
    {
        // without it there is nothing to do, and no use in telling the settings' readers that we started
        await _gate.FindAsync(_options.Names.Release, cancellationToken).ConfigureAwait(false);
        _settings = await SettingsStream.OpenAsync(_connection, Wake, cancellationToken).ConfigureAwait(false);
        await _settings.WriteAsync(Self(active: false), cancellationToken).ConfigureAwait(false);
        if (known is not null && _settings.LastReadable(_options.Names.Work).Version < known.Version)
        {
            // the stream was deleted and made anew; what the operator set still holds
            await _settings.WriteAsync(known, cancellationToken).ConfigureAwait(false);
        }

        var options = new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false, outstandingPublisherConfirmationsRateLimiter: null);
        var channel = _channel = await _connection.CreateChannelAsync(options, cancellationToken).ConfigureAwait(false);
        channel.BasicAcksAsync += (_, args) => AnsweredAsync(args.DeliveryTag, args.Multiple, refused: false);
        channel.BasicNacksAsync += (_, args) => AnsweredAsync(args.DeliveryTag, args.Multiple, refused: true);
        channel.BasicReturnAsync += (_, args) => EndAsync($"exchange '{args.Exchange}' returned a message: {args.ReplyText}. It has no alternate exchange; run 'retryctl topology verify'");
        channel.ChannelShutdownAsync += (_, args) => EndAsync($"the channel closed: {args.ReplyCode} {args.ReplyText}");
    }

    private LimiterNode Self(bool active) => new(_options.Names.Work, _options.Instance, active, _options.Limit, _time.GetUtcNow());

    private async Task FollowSettingsAsync()
    {
        if (_ended is { } ended)
        {
            throw new LimiterException(ended);
        }

        if (_settings!.Failure is { } failure)
        {
            throw new LimiterException(failure);
        }

        if (_settings.WhyUnreadable(_options.Names.Work) is { } unreadable)
        {
            await StopConsumingAsync().ConfigureAwait(false);
            _monitor.Is(LimiterActivity.Down, unreadable);
            return;
        }

        var setting = _settings.SettingOf(_options.Names.Work);
        var limit = setting.Over(_options.Limit);
        var window = limit is null ? LargestWindow : (int)Math.Clamp(WindowSeconds * limit.PerSecond, SmallestWindow, LargestWindow);
        _pacer.Change(limit);
        _monitor.Applied(setting, limit);
        if (setting.Paused)
        {
            await StopConsumingAsync().ConfigureAwait(false);
            _monitor.Is(LimiterActivity.Paused, $"paused by {setting.By}");
            return;
        }

        if (_consumerTag is not null && (window > 2 * _window || 2 * window < _window))
        {
            // how much is taken in advance is fixed when consuming starts
            await StopConsumingAsync().ConfigureAwait(false);
        }

        if (_consumerTag is null)
        {
            await StartConsumingAsync(window).ConfigureAwait(false);
        }
    }

    private async Task StartConsumingAsync(int window)
    {
        _window = window;
        _active = false;
        _gateOpen = false;
        _backoff = null;
        _consumer = new ReleaseConsumer(_channel!, Arrived, reason => _ = EndAsync(reason), _time);
        await _channel!.BasicQosAsync(0, (ushort)(window + Math.Max(window, SmallestAhead)), global: false, CancellationToken.None).ConfigureAwait(false);
        _consumerTag = await _channel.BasicConsumeAsync(_options.Names.Release, autoAck: false, string.Empty, noLocal: false, exclusive: false, arguments: null, _consumer, CancellationToken.None).ConfigureAwait(false);
        _monitor.Is(LimiterActivity.StandingBy, null);
    }

    // what is in flight is settled, the rest goes back to the queue
    private async Task StopConsumingAsync()
    {
        if (_consumerTag is not { } tag || _ended is not null)
        {
            return;
        }

        _consumerTag = null;
        await _channel!.BasicCancelAsync(tag, noWait: false, CancellationToken.None).ConfigureAwait(false);
        await _consumer!.Ended.WaitAsync(SettleTime, CancellationToken.None).ConfigureAwait(false);
        var started = _time.GetTimestamp();
        TakeIn();
        while (_inFlight.Count > 0 && _ended is null && _time.GetElapsedTime(started) < SettleTime)
        {
            await _something.WaitAsync(TimeSpan.FromMilliseconds(50)).ConfigureAwait(false);
            TakeIn();
        }

        await AcknowledgeAsync().ConfigureAwait(false);
        await GiveBackAsync().ConfigureAwait(false);
        _active = false;
    }

    private async Task GiveBackAsync()
    {
        foreach (var delivery in _waiting)
        {
            _unacknowledged.Remove(delivery.Tag);
            await _channel!.BasicNackAsync(delivery.Tag, multiple: false, requeue: true, CancellationToken.None).ConfigureAwait(false);
        }

        _waiting.Clear();
    }

    private void TakeIn()
    {
        while (_arrived.TryDequeue(out var delivery))
        {
            _unacknowledged.Add(delivery.Tag);
            _waiting.AddLast(delivery);
        }

        while (_answers.TryDequeue(out var answer))
        {
            foreach (var delivery in _inFlight.Settle(answer.Number, answer.Multiple))
            {
                if (answer.Refused)
                {
                    _waiting.AddFirst(delivery);
                }
                else
                {
                    _unacknowledged.Remove(delivery.Tag);
                    _confirmed.Add(delivery.Tag);
                }
            }

            if (answer.Refused)
            {
                Refused();
            }
            else
            {
                _backoff = null;
            }
        }

        if (_waiting.Count > 0 && !_active)
        {
            Activate();
        }
    }

    private void Activate()
    {
        _active = true;
        WasActive = true;
        _pacer.AssumeUsed();
        _monitor.Is(LimiterActivity.Active, null);
        _ = AnnounceAsync();
    }

    // for people only: nothing waits for it, and nothing depends on it
    private async Task AnnounceAsync()
    {
        try
        {
            await _settings!.WriteAsync(Self(active: true), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is LimiterException or AlreadyClosedException or OperationInterruptedException or IOException or ObjectDisposedException)
        {
            // the settings' own failure ends the session
        }
    }

    private void Refused()
    {
        var next = _backoff is { } backoff ? backoff * 2 : FirstBackoff;
        if (_backoff is null || _time.GetElapsedTime(_backoffSince) >= _backoff)
        {
            _backoff = next < LongestBackoff ? next : LongestBackoff;
            _backoffSince = _time.GetTimestamp();
        }
    }

    private async Task AcknowledgeAsync()
    {
        if (_confirmed.Count == 0)
        {
            return;
        }

        _monitor.Released(_confirmed.Count);
        var highest = _confirmed.Max();
        if (_unacknowledged.Count == 0 || highest < _unacknowledged.Min)
        {
            await _channel!.BasicAckAsync(highest, multiple: true, CancellationToken.None).ConfigureAwait(false);
        }
        else
        {
            foreach (var tag in _confirmed)
            {
                await _channel!.BasicAckAsync(tag, multiple: false, CancellationToken.None).ConfigureAwait(false);
            }
        }

        _confirmed.Clear();
    }

    /// <summary>Releases one message, or waits for what it needs.</summary>
    private async Task StepAsync(CancellationToken cancellationToken)
    {
        if (_waiting.First is not { } first)
        {
            await SomethingAsync(LongestLook, cancellationToken).ConfigureAwait(false);
        }
        else if (_time.GetElapsedTime(first.Value.ReceivedAt) > _options.HoldLimit)
        {
            await GiveBackAsync().ConfigureAwait(false);
        }
        else if (_blocked is { } reason)
        {
            _monitor.Waits($"the broker takes no publishes: {reason}");
            await SomethingAsync(LongestLook, cancellationToken).ConfigureAwait(false);
        }
        else if (_backoff is { } backoff && _time.GetElapsedTime(_backoffSince) is var since && (since < backoff || _inFlight.Count > 0))
        {
            _monitor.Waits("the work queue refuses messages: it is full, or has lost its majority");
            await SomethingAsync(since < backoff ? backoff - since : LongestLook, cancellationToken).ConfigureAwait(false);
        }
        else if (_inFlight.Count >= _window)
        {
            await SomethingAsync(LongestLook, cancellationToken).ConfigureAwait(false);
        }
        else if (!await LookAtWorkQueueAsync(cancellationToken).ConfigureAwait(false))
        {
            await SomethingAsync(WorkQueueGate.Pause, cancellationToken).ConfigureAwait(false);
        }
        else if (_pacer.Wait() is var wait && wait > TimeSpan.Zero)
        {
            await WaitForTurnAsync(wait, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            _waiting.RemoveFirst();
            _pacer.Take();
            await PublishAsync(first.Value).ConfigureAwait(false);
            if (_backoff is null)
            {
                _monitor.Waits(null);
            }
        }
    }

    // The look goes on beside the releases: the broker's answer takes milliseconds, and a message that waited for it would
    // come late every time.
    private async Task<bool> LookAtWorkQueueAsync(CancellationToken cancellationToken)
    {
        if (_pacer.Limit is not { } limit)
        {
            return true;
        }

        if (_look is { IsCompleted: true } done)
        {
            _look = null;
            var (closed, ready) = await done.ConfigureAwait(false);
            _gateLookedAt = _time.GetTimestamp();
            if (closed is null && !_gateOpen)
            {
                // what already lies there reaches the consumers at once
                _pacer.AssumeUsed(ready);
            }

            _gateOpen = closed is null;
            if (closed is not null)
            {
                _monitor.Waits(closed);
            }
        }

        if (_look is null && (_gateLookedAt == 0 || _time.GetElapsedTime(_gateLookedAt) >= WorkQueueGate.Pause))
        {
            _look = LookAsync(limit, cancellationToken);
        }

        return _gateOpen && _time.GetElapsedTime(_gateLookedAt) < WorkQueueGate.Stale;
    }

    private async Task<(string? Closed, uint Ready)> LookAsync(RedeliveryLimit limit, CancellationToken cancellationToken)
    {
        try
        {
            var next = _waiting.First?.Value.Properties.Headers;
            var found = await _gate.LookAsync(limit, cancellationToken).ConfigureAwait(false);
            if (_countedAt == 0 || _time.GetElapsedTime(_countedAt) >= CountPause)
            {
                _countedAt = _time.GetTimestamp();
                var ready = await _gate.FindAsync(_options.Names.Release, cancellationToken).ConfigureAwait(false);
                _monitor.Sees(ready, next is null ? null : RetryHeaderReader.Read(next, _options.Names.Work).DueAt);
            }

            return found;
        }
        finally
        {
            Wake();
        }
    }

    private async Task WaitForTurnAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        if (wait > FineWait)
        {
            // a confirm comes meanwhile and wants its acknowledgement, or settings change
            await SomethingAsync(wait < LongestLook ? wait - (FineWait / 2) : LongestLook, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await FineDelay.WaitAsync(wait, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task PublishAsync(LimitedDelivery delivery)
    {
        var properties = Republication.Stripped(delivery.Properties);
        if (RetryHeaderReader.Read(properties.Headers, _options.Names.Work).Kept.Priority is { } priority)
        {
            properties.Priority = priority;
        }

        _inFlight.Add(delivery);
        await _channel!.BasicPublishAsync(_route.Exchange, _route.RoutingKey, mandatory: true, properties, delivery.Body, CancellationToken.None).ConfigureAwait(false);
    }

    private async Task SomethingAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        await _something.WaitAsync(atMost, cancellationToken).ConfigureAwait(false);
        // one look takes in everything that has happened
        while (_something.CurrentCount > 0 && _something.Wait(0, CancellationToken.None))
        {
        }
    }

    private void Wake()
    {
        try
        {
            _something.Release();
        }
        catch (ObjectDisposedException)
        {
            // the session is over
        }
    }

    private void Arrived(LimitedDelivery delivery)
    {
        _arrived.Enqueue(delivery);
        Wake();
    }

    private Task AnsweredAsync(ulong number, bool multiple, bool refused)
    {
        _answers.Enqueue((number, multiple, refused));
        Wake();
        return Task.CompletedTask;
    }

    private Task EndAsync(string reason)
    {
        _ended ??= reason;
        Wake();
        return Task.CompletedTask;
    }

    private Task OnShutdownAsync(object sender, ShutdownEventArgs args) => EndAsync($"the connection closed: {args.ReplyCode} {args.ReplyText}");

    private Task OnBlockedAsync(object sender, ConnectionBlockedEventArgs args)
    {
        _blocked = args.Reason;
        return Task.CompletedTask;
    }

    private Task OnUnblockedAsync(object sender, AsyncEventArgs args)
    {
        _blocked = null;
        Wake();
        return Task.CompletedTask;
    }
}
