using Microsoft.Extensions.Logging;
using Retry.Messaging.Breaker;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>The circuit between a point in this process and its target: where deliveries wait until they may begin.</summary>
/// <remarks>
/// <list type="number">
/// <item>While it is closed a delivery begins at once. That is all that the breaker costs then.</item>
/// <item>Otherwise it waits for a permit, unacknowledged, so that the prefetch fills and the rest stays in the work queue. Of those that wait
/// the one with fewest probes and attempts begins first: a message that always fails must not keep the circuit open.</item>
/// <item>What has waited for too long is sent up the ladder for a minute, and uses no attempt.</item>
/// <item>The state is a document in the control log, so it stays as it is while the log cannot be read. Where whoever judges the target has
/// been gone for 30 s deliveries begin as if there were no breaker.</item>
/// </list>
/// </remarks>
internal sealed partial class PointCircuit : IControlTarget
{
    /// <summary>How long a target may go without a judge before deliveries begin all the same.</summary>
    public static readonly TimeSpan Forsaken = TimeSpan.FromSeconds(30);

    private const string Part = "circuit";

    private readonly Lock _lock = new();
    private readonly PriorityQueue<Waiter, (int Probes, int Attempt, long Arrival)> _waiters = new();
    private readonly Func<TimeSpan?> _interval;
    private readonly PointHealth _health;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private volatile CircuitDocument _document;
    private volatile TaskCompletionSource _needed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isForsaken;
    private long _arrivals;
    private int _waiting;

    /// <param name="queue">The work queue.</param>
    /// <param name="interval">How often an ill target is tried; <see langword="null"/> while the point has no breaker.</param>
    /// <param name="health">Where it says that it is open.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it says each change.</param>
    public PointCircuit(string queue, Func<TimeSpan?> interval, PointHealth health, TimeProvider time, ILogger logger)
    {
        (Queue, _interval, _health, _time, _logger) = (queue, interval, health, time, logger);
        _document = new CircuitDocument(queue, CircuitState.Closed);
    }

    /// <inheritdoc/>
    public string Queue { get; }

    /// <inheritdoc/>
    public string Kind => CircuitDocument.Kind;

    /// <summary>Gets how often an ill target is tried; <see langword="null"/> while the point has no breaker.</summary>
    public TimeSpan? Interval => _interval();

    /// <summary>Gets the last document that could be read.</summary>
    public CircuitDocument Document => _document;

    /// <summary>Gets the number of the last document, whether or not it could be read.</summary>
    public long LatestVersion { get; private set; }

    /// <summary>Gets a value indicating whether deliveries begin without a permit.</summary>
    public bool IsClosed => _document.State == CircuitState.Closed || _isForsaken || Interval is null;

    /// <summary>Gets how many deliveries wait.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Gets what completes when a delivery waits for a permit.</summary>
    public Task Needed => _needed.Task;

    /// <summary>Waits until a delivery may begin.</summary>
    /// <param name="state">What the message knows of itself.</param>
    /// <param name="atMost">For how long.</param>
    /// <param name="stopping">Completed when the endpoint stops.</param>
    /// <param name="cancellationToken">Cancelled when the delivery is lost or the host stops.</param>
    /// <exception cref="OperationCanceledException">It goes back untouched.</exception>
    public ValueTask<Passage> EnterAsync(RetryState state, TimeSpan atMost, Task stopping, CancellationToken cancellationToken) =>
        IsClosed ? new(Passage.Free) : new(WaitAsync(state, atMost, stopping, cancellationToken));

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
            LogUnreadable(Queue, exception.Message.TrimEnd('.'), _document.State);
            return;
        }

        var before = _document;
        _document = document;
        _isForsaken = false;
        Say(before, document);
        Free();
    }

    /// <summary>Notes whether somebody judges the target; called while deliveries wait.</summary>
    /// <param name="without">For how long nobody has.</param>
    public void Judged(TimeSpan without)
    {
        if (without >= Forsaken && !_isForsaken)
        {
            _isForsaken = true;
            LogForsaken(Queue, without.TotalSeconds);
            Free();
        }
        else if (without == TimeSpan.Zero)
        {
            _isForsaken = false;
        }
    }

    /// <summary>Lets go of those that need no permit, for example because an operator has turned the breaker off.</summary>
    public void Free()
    {
        if (IsClosed)
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

    private async Task<Passage> WaitAsync(RetryState state, TimeSpan atMost, Task stopping, CancellationToken cancellationToken)
    {
        var waiter = new Waiter();
        lock (_lock)
        {
            _waiters.Enqueue(waiter, (state.Probes, state.Attempt, _arrivals++));
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

    private void Say(CircuitDocument before, CircuitDocument now)
    {
        if (now.State == before.State)
        {
            return;
        }

        switch (now.State)
        {
            case CircuitState.Closed:
                _health.Found(Part, (string?)null);
                LogClosed(Queue, now.Why);
                break;

            case CircuitState.Open:
                _health.Found(Part, $"The circuit is open: {now.Why?.TrimEnd('.')}. Run 'retryctl breaker status {Queue}'.");
                LogOpen(Queue, now.Why, now.Hand == CircuitHand.Open ? "nothing is tried" : $"one message is tried each {Interval?.TotalSeconds} s");
                break;

            default:
                LogHalfOpen(Queue, now.State == CircuitState.HalfOpen ? "half-open" : "closing", now.Why);
                break;
        }
    }

    private sealed class Waiter() : TaskCompletionSource<Passage>(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(LogEvents.CircuitOpen, LogLevel.Warning, "{Queue}: the circuit is open: {Why}. Messages wait, and {Probing}")]
    private partial void LogOpen(string queue, string? why, string probing);

    [LoggerMessage(LogEvents.CircuitHalfOpen, LogLevel.Information, "{Queue}: the circuit is {State}: {Why}")]
    private partial void LogHalfOpen(string queue, string state, string? why);

    [LoggerMessage(LogEvents.CircuitClosed, LogLevel.Information, "{Queue}: the circuit is closed: {Why}")]
    private partial void LogClosed(string queue, string? why);

    [LoggerMessage(LogEvents.CircuitForsaken, LogLevel.Warning, "{Queue}: nobody has judged the target for {Seconds} s, so messages are consumed as if there were no breaker. Look why no instance may have a queue " + BrokerNames.ListenPrefix + "*")]
    private partial void LogForsaken(string queue, double seconds);

    [LoggerMessage(LogEvents.CircuitUnreadable, LogLevel.Warning, "{Queue}: {Reason}. The circuit stays {State}")]
    private partial void LogUnreadable(string queue, string reason, CircuitState state);
}
