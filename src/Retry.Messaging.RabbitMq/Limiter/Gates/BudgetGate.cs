using Retry.Messaging.Breaker;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Pulse;

namespace Retry.Messaging.RabbitMq.Limiter.Gates;

/// <summary>Closed while fewer attempts have succeeded in the cluster than the next message would need by the point's retry budget.</summary>
/// <remarks>It hears pulses from the first message on that it is asked for. Before, and where none comes, the floor of the budget is all there is.</remarks>
/// <param name="queue">The work queue.</param>
/// <param name="pulses">Whose pulses are heard; <see langword="null"/> where none can be.</param>
/// <param name="wakeUp">Woken when something was earned.</param>
/// <param name="time">The clock.</param>
internal sealed class BudgetGate(string queue, PulseShare? pulses, WakeUp wakeUp, TimeProvider time) : IReleaseGate
{
    /// <summary>What it says first when it is closed.</summary>
    public const string WaitsFor = "they wait for successes";

    // so that the second is over when it is asked again
    private static readonly TimeSpan Later = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private readonly RetryTokens _tokens = new();
    private readonly long _started = time.GetTimestamp();
    private RetryBudget? _budget;
    private CountWatch? _watch;
    private IDisposable? _listening;

    /// <summary>Gets a value indicating whether there is a budget, and nobody is heard that could earn anything.</summary>
    public bool IsUnheard
    {
        get
        {
            lock (_lock)
            {
                return _watch is { IsUnheard: true };
            }
        }
    }

    /// <summary>Gets how many messages may come back at once by what was earned; <see langword="null"/> where there is no budget.</summary>
    public double? Left
    {
        get
        {
            lock (_lock)
            {
                return _budget is null ? null : Math.Max(_tokens.Left(Now), 0);
            }
        }
    }

    private double Now => time.GetElapsedTime(_started).TotalSeconds;

    /// <summary>Changes the budget; <see langword="null"/> lets everything through.</summary>
    public void Change(RetryBudget? budget)
    {
        lock (_lock)
        {
            if (budget != _budget)
            {
                _budget = budget;
                _tokens.Change(budget, Now);
            }
        }
    }

    /// <summary>Forgets what was earned, because another limiter may have used it.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            _tokens.Clear(Now);
        }
    }

    /// <summary>Notes that a message was released.</summary>
    public void Passed()
    {
        lock (_lock)
        {
            if (_budget is not null)
            {
                _tokens.Take(Now);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<GateAnswer> AskAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_budget is not { } budget)
            {
                EndListening();
                return new(GateAnswer.Open);
            }

            _watch ??= new CountWatch(queue, static point => point.Done, time);
            _listening ??= pulses?.Listen(Hear);
            return new(_tokens.Left(Now) >= 1
                ? GateAnswer.Open
                : GateAnswer.Closed(
                    TimeSpan.FromSeconds(RetryTokens.Next(Now)) + Later,
                    $"{WaitsFor}: the retry budget is {budget}{(_watch.IsUnheard ? ", and no instance is heard that tells of any" : string.Empty)}"));
        }
    }

    /// <summary>Hears no more.</summary>
    public void End()
    {
        lock (_lock)
        {
            EndListening();
        }
    }

    private void EndListening()
    {
        _listening?.Dispose();
        (_listening, _watch) = (null, null);
    }

    private void Hear(PulseDocument pulse)
    {
        long gained;
        lock (_lock)
        {
            gained = _watch?.Hear(pulse) ?? 0;
            if (gained > 0)
            {
                _tokens.Earn(gained, Now);
            }
        }

        if (gained > 0)
        {
            wakeUp.Set();
        }
    }
}
