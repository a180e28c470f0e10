using Microsoft.Extensions.Logging;
using Retry.Messaging.Breaker;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>The circuit between a point in this process and its target: where deliveries wait until they may begin.</summary>
/// <remarks>
/// <list type="number">
/// <item>While it is closed, and the point has no cap on all deliveries, one begins at once. That is all that the breaker costs then.</item>
/// <item>Otherwise it waits for a permit, unacknowledged, so that the prefetch fills and the rest stays in the work queue. Of those that wait
/// the one with fewest probes and attempts begins first: a message that always fails must not keep the circuit open. What came back comes
/// last, since it may be what killed its process.</item>
/// <item>What has waited for too long is sent up the ladder for a minute, and uses no attempt.</item>
/// <item>The state is a document in the control log, so it stays as it is while the log cannot be read. Where whoever judges the target has
/// been gone for 30 s deliveries begin as if there were no breaker. A cap holds: without permits nothing begins.</item>
/// </list>
/// </remarks>
internal sealed class PointCircuit : IControlTarget
{
    /// <summary>How long a target may go without a judge before deliveries begin all the same.</summary>
    public static readonly TimeSpan Forsaken = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly PriorityQueue<Waiter, (bool CameBack, int Probes, int Attempt, long Arrival)> _waiters = new();
    private readonly Func<RetryRules> _rules;
    private readonly CircuitReporter _reporter;
    private readonly TimeProvider _time;
    private volatile CircuitDocument _document;
    private volatile TaskCompletionSource _needed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isForsaken;
    private long _arrivals;
    private int _waiting;

    /// <param name="queue">The work queue.</param>
    /// <param name="rules">The rules of the point.</param>
    /// <param name="health">Where it says that it is open.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it says each change.</param>
    public PointCircuit(string queue, Func<RetryRules> rules, PointHealth health, TimeProvider time, ILogger logger)
    {
        (Queue, _rules, _time) = (queue, rules, time);
        _reporter = new CircuitReporter(queue, health, logger);
        _document = new CircuitDocument(queue, CircuitState.Closed);
        Own = new NodeCircuit(this, health, time, logger);
        health.Circuit = () => IsWanted ? (IsOpen ? (int)Document.State : 0, Waiting, Own.IsApart) : null;
    }

    /// <inheritdoc/>
    public string Queue { get; }

    /// <inheritdoc/>
    public string Kind => CircuitDocument.Kind;

    /// <summary>Gets the circuit of this process alone.</summary>
    public NodeCircuit Own { get; }

    /// <summary>Gets how often an ill target is tried; <see langword="null"/> while the point has no breaker.</summary>
    public TimeSpan? Interval => _rules().BreakerInterval;

    /// <summary>Gets how fast deliveries may begin, or <see langword="null"/> for any rate.</summary>
    public RedeliveryLimit? Limit => _rules().DeliveryLimit;

    /// <summary>Gets a value indicating whether somebody has to give permits, or may have to.</summary>
    public bool IsWanted => Interval is not null || Limit is not null;

    /// <summary>Gets a value indicating whether the target is taken for ill, so that what waits here was not consumed.</summary>
    public bool IsOpen => _document.State != CircuitState.Closed && !_isForsaken && Interval is not null;

    /// <summary>Gets the last document that could be read.</summary>
    public CircuitDocument Document => _document;

    /// <summary>Gets the number of the last document, whether or not it could be read.</summary>
    public long LatestVersion { get; private set; }

    /// <summary>Gets a value indicating whether deliveries begin without a permit.</summary>
    public bool IsFree => !IsOpen && Limit is null;

    /// <summary>Gets how many deliveries wait.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Gets what completes when a delivery waits for a permit.</summary>
    public Task Needed => _needed.Task;

    /// <summary>Waits until a delivery may begin.</summary>
    /// <param name="state">What the message knows of itself.</param>
    /// <param name="cameBack">Whether a consumer had it before, and did not settle it.</param>
    /// <param name="atMost">For how long.</param>
    /// <param name="stopping">Completed when the endpoint stops.</param>
    /// <param name="cancellationToken">Cancelled when the delivery is lost or the host stops.</param>
    /// <exception cref="OperationCanceledException">It goes back untouched.</exception>
    public ValueTask<Passage> EnterAsync(RetryState state, bool cameBack, TimeSpan atMost, Task stopping, CancellationToken cancellationToken) =>
        IsFree ? new(Passage.Free) : new(WaitAsync(state, cameBack, atMost, stopping, cancellationToken));

    /// <summary>Hands a permit to one that waits.</summary>
    /// <returns>Whether there is one.</returns>
    public bool TryGive(Permit permit)
    {
        lock (_lock)
        {
            while (_waiters.TryDequeue(out var waiter, out _))
            {
                if (waiter.TrySetResult(new Passage(false, permit)))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <inheritdoc/>
    public void Apply(ControlRecord record)
    {
        LatestVersion = record.Version;
        CircuitDocument document;
        try
        {
            document = CircuitDocument.Read(record);
        }
        catch (ControlException exception)
        {
            _reporter.Unreadable(exception.Message, _document.State);
            return;
        }

        var before = _document;
        _document = document;
        _isForsaken = false;
        _reporter.Became(before, document, Interval);
        Free();
    }

    /// <summary>Notes whether somebody judges the target; called while deliveries wait.</summary>
    /// <param name="without">For how long nobody has.</param>
    public void Judged(TimeSpan without)
    {
        if (without >= Forsaken && !_isForsaken)
        {
            _isForsaken = true;
            if (Limit is null)
            {
                _reporter.Forsaken(without);
                Free();
            }
            else
            {
                _reporter.WithoutPermits(without);
            }
        }
        else if (without == TimeSpan.Zero)
        {
            _isForsaken = false;
        }
    }

    /// <summary>Says that fewer deliveries begin for a while, because the target asks for that.</summary>
    public void Slowed(double perSecond, double cap) => _reporter.Slowed(perSecond, cap);

    /// <summary>Lets go of those that need no permit, for example because an operator has turned the breaker off.</summary>
    public void Free()
    {
        if (IsFree)
        {
            lock (_lock)
            {
                while (_waiters.TryDequeue(out var waiter, out _))
                {
                    waiter.TrySetResult(Passage.Free);
                }
            }
        }
    }

    private async Task<Passage> WaitAsync(RetryState state, bool cameBack, TimeSpan atMost, Task stopping, CancellationToken cancellationToken)
    {
        var waiter = new Waiter();
        lock (_lock)
        {
            _waiters.Enqueue(waiter, (cameBack, state.Probes, state.Attempt, _arrivals++));
            Interlocked.Increment(ref _waiting);
        }

        try
        {
            // it may have been closed meanwhile, and nobody else would let this one go
            Free();
            _needed.TrySetResult();
            Task first = Task.WhenAny(waiter.Task, stopping);
            await first.WaitAsync(atMost, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

            // whoever comes first: a permit that was given is used
            if (waiter.TrySetCanceled(CancellationToken.None))
            {
                lock (_lock)
                {
                    _waiters.Remove(waiter, out _, out _);
                }

                cancellationToken.ThrowIfCancellationRequested();
                return stopping.IsCompleted
                    ? throw new OperationCanceledException("The endpoint stops: the message goes back, and has not been consumed.")
                    : Passage.Aside;
            }

            return await waiter.Task.ConfigureAwait(false);
        }
        finally
        {
            if (Interlocked.Decrement(ref _waiting) == 0)
            {
                _needed = new(TaskCreationOptions.RunContinuationsAsynchronously);
                if (Waiting > 0)
                {
                    _needed.TrySetResult();
                }
            }
        }
    }

    private sealed class Waiter() : TaskCompletionSource<Passage>(TaskCreationOptions.RunContinuationsAsynchronously);
}
