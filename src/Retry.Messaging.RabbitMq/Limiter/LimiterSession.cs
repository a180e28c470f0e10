using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Limiter.Gates;
using Retry.Messaging.RabbitMq.Limiter.Pacing;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>One connection of a limiter: from the release queue to the work queue, at the point's rate.</summary>
/// <remarks>
/// The life of a message here:
/// <list type="number">
/// <item>The settings are read to their end. What cannot be read is never taken for "nothing is set": nothing is released.</item>
/// <item>The release queue has one active consumer in the whole cluster. Being given a message is how an instance learns
/// that it is the one. Its predecessor may have just used the whole allowance, and the <see cref="WorkQueueGate"/> assumes so.</item>
/// <item>The message waits in memory until each <see cref="IReleaseGate"/> is open. They are asked in a fixed order, the rate last.</item>
/// <item>One that only came by before it is due (<see cref="ReleaseVisits"/>) goes up the ladder again, past the gates of the rate.</item>
/// <item>It is published on the channel that it came by. An instance that hangs loses its consumer together with the channel,
/// so when it wakes up it can publish nothing. Its turn is counted from the moment that its bytes have left
/// (<see cref="SocketWatch"/>), and no other goes before.</item>
/// <item>Confirmed: acknowledged, together with what was confirmed meanwhile. Refused (the work queue is full): it is held,
/// and tried alone with a backoff; it does not go back to the queue. No work queue: the lost queue has it.</item>
/// <item>Held for a good part of the broker's consumer timeout (<see cref="HoldTime"/>): given back for a moment, since the broker would take
/// it, and the channel with it.</item>
/// </list>
/// One loop owns all state. The client's callbacks only enqueue; looks at queues and announcements run beside it, and never release.
/// </remarks>
internal sealed class LimiterSession
{
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SettleLook = TimeSpan.FromMilliseconds(50);

    private readonly LimiterOptions _options;
    private readonly LimiterMonitor _monitor;
    private readonly TimeProvider _time;
    private readonly WakeUp _wakeUp;
    private readonly ILimiterConnection _connection;
    private readonly RedeliveryPacer _pacer;
    private readonly BudgetGate _budget;
    private readonly SlowedRate _slowed;
    private readonly PassiveLook _look;
    private readonly LimiterSettings _settings;
    private readonly LimiterAnnouncer _announcer;
    private ControlLog? _log;
    private ReleaseIntake? _intake;
    private ReleasePublisher? _publisher;
    private ReleaseStep? _step;
    private int _window;
    private bool _active;

    private LimiterSession(ILimiterConnection connection, LimiterOptions options, LimiterMonitor monitor, TimeProvider time)
    {
        _options = options;
        _monitor = monitor;
        _time = time;
        _wakeUp = connection.WakeUp;
        _connection = connection;
        _pacer = new RedeliveryPacer(time);
        _budget = new BudgetGate(options.Names.Work, options.Pulses, connection.WakeUp, time);
        _slowed = new SlowedRate(options.Names.Work, options.Pulses, connection.WakeUp, monitor, time);
        _look = connection.Look;
        _settings = new LimiterSettings(options.Names.Work);
        _announcer = new LimiterAnnouncer(
            options,
            _settings,
            monitor,
            new Announcements(connection.OpenStream(BrokerNames.AnnouncementStream, Announcements.Retention)),
            time);
    }

    /// <summary>Gets a value indicating whether it has been given a message.</summary>
    public bool WasActive { get; private set; }

    /// <summary>Reads the settings and makes ready.</summary>
    /// <param name="connection">A new connection. All that the session opens ends with it.</param>
    /// <param name="options">The point.</param>
    /// <param name="known">What was set as far as this process knows; written again should the stream have been made anew.</param>
    /// <param name="monitor">Told what happens.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LimiterException">There is no release queue.</exception>
    /// <exception cref="ControlException">The settings cannot be read.</exception>
    public static async Task<LimiterSession> OpenAsync(
        ILimiterConnection connection,
        LimiterOptions options,
        LimiterSetting? known,
        LimiterMonitor monitor,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var session = new LimiterSession(connection, options, monitor, time);
        await session.StartAsync(known, cancellationToken).ConfigureAwait(false);
        return session;
    }

    /// <summary>Releases until it is cancelled or the connection ends.</summary>
    /// <exception cref="LimiterException">It cannot go on.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _monitor.Budget = () => _budget.Left;
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await FollowSettingsAsync().ConfigureAwait(false);
                await TakeInAsync().ConfigureAwait(false);
                await _step!.RunAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await StopConsumingAsync().ConfigureAwait(false);
        }
        finally
        {
            _budget.End();
            _slowed.End();
        }
    }

    private async Task StartAsync(LimiterSetting? known, CancellationToken cancellationToken)
    {
        // without it there is nothing to do, and no use in telling the settings' readers that we started
        if (await _look.FindQueueAsync(_options.Names.Release, cancellationToken).ConfigureAwait(false) is not { } release)
        {
            throw new LimiterException($"There is no queue '{_options.Names.Release}'. The service of the point makes it when it starts; so does 'retryctl topology apply --isolated {_options.Names.Work}'.");
        }

        _log = await ControlLog.OpenAsync(
            _connection.OpenStream(BrokerNames.ControlStream, ControlLog.Retention),
            declare: true,
            Follow,
            _wakeUp.Set,
            cancellationToken).ConfigureAwait(false);
        if (known is not null && _settings.LastReadable.Version < known.Version)
        {
            // the log was deleted and made anew; what the operator set still holds
            await _log.AppendAsync(LimiterDocument.Write(known), cancellationToken).ConfigureAwait(false);
        }

        _announcer.Log = _log;
        _announcer.StoodAlone = release.ConsumerCount == 0;
        var channel = await _connection.OpenChannelAsync(_options.Hold, cancellationToken).ConfigureAwait(false);
        _intake = new ReleaseIntake(channel, _options.Names.Release, _options.Hold, _wakeUp, reason => _ = _connection.EndAsync(reason), _time);
        var refusals = new RefusalGate(() => _publisher!.Unconfirmed, _time);
        _publisher = new ReleasePublisher(channel, _connection, _options.Names.Work, refusals, _wakeUp, _time);
        _step = new ReleaseStep(
            _options, _connection, _look, _intake, _publisher, refusals, () => _window, () => _settings.Circuit, _budget, _pacer, _monitor, _wakeUp, _time);
    }

    private void Follow(ControlRecord record)
    {
        _settings.Read(record);
        _wakeUp.Set();
    }

    private async Task FollowSettingsAsync()
    {
        if ((_connection.Ended ?? _log!.Failure) is { } ended)
        {
            throw new LimiterException(ended);
        }

        var setting = _settings.LastReadable;
        var limit = setting.Over(_announcer.CodeLimit);
        var budget = _settings.BudgetOver(_announcer.CodeBudget);
        var window = ReleaseWindow.Of(limit, budget);
        limit = _slowed.Of(limit, _active);
        _pacer.Change(limit);
        _budget.Change(budget);
        _monitor.Applied(setting, limit);
        if (LimiterRest.Of(_options.Names.Work, _settings, _announcer.IsLimitKnown) is { } rest)
        {
            await StopConsumingAsync().ConfigureAwait(false);
            _monitor.Is(rest.Activity, rest.Reason);
            return;
        }

        if (_intake!.Consumes && ReleaseWindow.IsOther(window, _window))
        {
            // how much is taken in advance is fixed when consuming starts
            await StopConsumingAsync().ConfigureAwait(false);
        }

        if (!_intake.Consumes)
        {
            _window = window;
            _step!.Reset();
            await _intake.StartAsync(ReleaseWindow.Prefetch(window)).ConfigureAwait(false);
            _monitor.Is(LimiterActivity.StandingBy, null);
        }
    }

    // what is in flight is settled, the rest goes back to the queue
    private async Task StopConsumingAsync()
    {
        if (!_intake!.Consumes || _connection.Ended is not null)
        {
            return;
        }

        await _intake.StopAsync(SettleTime).ConfigureAwait(false);
        var started = _time.GetTimestamp();
        await TakeInAsync().ConfigureAwait(false);
        while (_publisher!.Unconfirmed > 0 && _connection.Ended is null && _time.GetElapsedTime(started) < SettleTime)
        {
            await _wakeUp.WaitAsync(SettleLook, CancellationToken.None).ConfigureAwait(false);
            await TakeInAsync().ConfigureAwait(false);
        }

        await _intake.GiveBackAsync().ConfigureAwait(false);
        _active = false;
    }

    private void Done(LimitedDelivery delivery)
    {
        _intake!.Done(delivery);
        if (delivery.Climb is { } climb)
        {
            _options.Visits?.Climbed(climb);
        }
    }

    private async Task TakeInAsync()
    {
        _intake!.TakeIn();
        _publisher!.Settle(Done, _intake.PutBack);
        _monitor.Released(await _intake.AcknowledgeAsync().ConfigureAwait(false));
        if (_intake.First is not null && !_active)
        {
            _active = WasActive = true;
            _budget.Reset();
            _monitor.Is(LimiterActivity.Active, null);
            _announcer.BecameActive();
        }
        else
        {
            _announcer.LookAfter(_active, _intake.Consumes);
        }
    }
}
