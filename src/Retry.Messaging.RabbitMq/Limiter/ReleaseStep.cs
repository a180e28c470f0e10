using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Circuit;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Limiter.Gates;
using Retry.Messaging.RabbitMq.Limiter.Pacing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>One step of the limiter's loop: it releases the next message when all gates are open, and otherwise waits.</summary>
/// <remarks>What the loop may not do is wait for the broker while a message is due. So it looks at queues beside the releases.</remarks>
internal sealed class ReleaseStep
{
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CountPause = TimeSpan.FromSeconds(5);

    private readonly LimiterOptions _options;
    private readonly PassiveLook _look;
    private readonly ReleaseIntake _intake;
    private readonly ReleasePublisher _publisher;
    private readonly RefusalGate _refusals;
    private readonly WorkQueueGate _workQueue;
    private readonly TargetGate _target;
    private readonly BudgetGate _budget;
    private readonly IReleaseGate[] _gates;
    private readonly IReleaseGate[] _climbGates;
    private readonly RedeliveryPacer _pacer;
    private readonly LimiterMonitor _monitor;
    private readonly WakeUp _wakeUp;
    private readonly TimeProvider _time;
    private long _countedAt;

    public ReleaseStep(
        LimiterOptions options,
        IReleaseLine line,
        PassiveLook look,
        ReleaseIntake intake,
        ReleasePublisher publisher,
        RefusalGate refusals,
        Func<int> window,
        Func<CircuitDocument?> circuit,
        BudgetGate budget,
        RedeliveryPacer pacer,
        LimiterMonitor monitor,
        WakeUp wakeUp,
        TimeProvider time)
    {
        _options = options;
        _look = look;
        _intake = intake;
        _publisher = publisher;
        _refusals = refusals;
        _pacer = pacer;
        _monitor = monitor;
        _wakeUp = wakeUp;
        _time = time;
        _workQueue = new WorkQueueGate(LookAsync, options.ConsumerPrefetch, pacer, time);
        _budget = budget;
        _target = new TargetGate(circuit, time);
        _climbGates =
        [
            new BrokerAlarmGate(() => line.Blocked),
            refusals,
            new WindowGate(() => publisher.Unconfirmed, window),
        ];
        _gates = [.. _climbGates, _target, _workQueue, _budget, new PaceGate(pacer)];
    }

    /// <summary>Forgets what was seen of the work queue, because another limiter may have released in between.</summary>
    public void Reset()
    {
        _workQueue.Reset();
        _refusals.Reset();
        _budget.Reset();
    }

    /// <summary>Releases one message, or waits for what it needs.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (_intake.First is not { } next)
        {
            if (_publisher.Unconfirmed == 0)
            {
                // the queue is counted only while something waits; what was counted last would stand, and grow older
                _monitor.Sees(0, oldestDue: null);
            }

            await _wakeUp.WaitAsync(LongestLook, cancellationToken).ConfigureAwait(false);
            return;
        }

        if (_time.GetElapsedTime(next.ReceivedAt) > _options.Hold.Limit)
        {
            await _intake.GiveBackAsync().ConfigureAwait(false);
            return;
        }

        _monitor.Hears(_budget.IsUnheard);
        var visit = _options.Visits?.Of(next);
        foreach (var gate in visit is { Climb: not null } ? _climbGates : _gates)
        {
            if (await gate.AskAsync(cancellationToken).ConfigureAwait(false) is { IsOpen: false } closed)
            {
                await WaitAsync(closed, cancellationToken).ConfigureAwait(false);
                return;
            }
        }

        _intake.RemoveFirst();
        if (visit is { Climb: not null })
        {
            await _publisher.SendAsync(next, visit, TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            _pacer.Take(await _publisher.SendAsync(next, visit, _pacer.Wait(), cancellationToken).ConfigureAwait(false));
            _target.Passed();
            _budget.Passed();
        }

        if (!_refusals.IsRefused)
        {
            _monitor.Waits(null);
        }
    }

    // A confirm that comes meanwhile wants its acknowledgement, and settings change: both end a long wait. A short one is exact.
    private async Task WaitAsync(GateAnswer closed, CancellationToken cancellationToken)
    {
        if (closed.Reason is { } reason)
        {
            _monitor.Waits(reason);
        }

        if (closed.AskAfter > FineDelay.Longest)
        {
            await _wakeUp.WaitAsync(
                closed.AskAfter < LongestLook ? closed.AskAfter - (FineDelay.Longest / 2) : LongestLook,
                cancellationToken).ConfigureAwait(false);
        }
        else if (closed.AskAfter > FineDelay.Last)
        {
            await FineDelay.WaitAsync(closed.AskAfter - FineDelay.Last, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<QueueDeclareOk?> LookAsync(CancellationToken cancellationToken)
    {
        // the loop may have sent it when the broker has answered
        var next = _intake.First;
        try
        {
            var found = await _look.FindQueueAsync(_options.Names.Work, cancellationToken).ConfigureAwait(false);
            if (next is not null && (_countedAt == 0 || _time.GetElapsedTime(_countedAt) >= CountPause))
            {
                _countedAt = _time.GetTimestamp();
                var waiting = await _look.FindQueueAsync(_options.Names.Release, cancellationToken).ConfigureAwait(false);
                _monitor.Sees(waiting?.MessageCount ?? 0, RetryHeaderReader.Read(next.Properties.Headers, _options.Names.Work).DueAt);
            }

            return found;
        }
        finally
        {
            _wakeUp.Set();
        }
    }
}
