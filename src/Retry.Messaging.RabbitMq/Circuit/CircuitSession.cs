using System.Threading.Channels;
using Retry.Messaging.Breaker;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Pulse;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>What the one who judges a target knows, and does about it. One loop owns all of it.</summary>
internal sealed class CircuitSession(PointCircuit circuit, ControlFollower follower, string by, TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    private readonly PulseNodes _nodes = new(time);
    private readonly ApartJudge _apart = new(circuit, follower, by, time);
    private readonly PermitAllowance _allowance = new((CircuitJudge.Worth * 1.5).TotalSeconds);
    private readonly SlowedCap _cap = new();
    private readonly CountWatch _slow = new(circuit.Queue, static point => point.Slow, time);
    private readonly CircuitCourse _course = new((circuit.Interval ?? TimeSpan.Zero).TotalSeconds);
    private readonly long _started = time.GetTimestamp();
    private CircuitDocument _last = circuit.Document;
    private string _why = string.Empty;
    private long _limited;

    private double Now => time.GetElapsedTime(_started).TotalSeconds;

    /// <summary>Judges until it is cancelled, the point has no breaker any more, or nothing can be heard.</summary>
    /// <param name="inbox">What is heard.</param>
    /// <param name="mayGive">Whether a permit would arrive: those of a whole alarm must not arrive together.</param>
    /// <param name="give">Gives a permit.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(
        ChannelReader<CircuitJudge.Heard> inbox,
        Func<bool> mayGive,
        Func<long, CircuitState, Task> give,
        CancellationToken cancellationToken)
    {
        _course.Resume(_last.State, Now);
        while (!inbox.Completion.IsCompleted && circuit.IsWanted)
        {
            _course.Interval = circuit.Interval?.TotalSeconds ?? 0;
            _allowance.Change(_cap.Of(circuit.Limit, Now), Now);
            Obey(circuit.Document);
            if (await HearAsync(inbox, cancellationToken).ConfigureAwait(false))
            {
                await JudgeAsync(cancellationToken).ConfigureAwait(false);
            }

            if (mayGive())
            {
                await GiveAsync(give).ConfigureAwait(false);
            }

            await WriteAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task GiveAsync(Func<long, CircuitState, Task> give)
    {
        var obeys = circuit.Interval is not null;
        foreach (var permit in obeys && _last.Hand == CircuitHand.Auto ? _course.Give(Now) : [])
        {
            // the ramp goes up to the cap
            if (_allowance.IsLimited && _course.State == CircuitState.Closing && _allowance.Room(Now) < 1)
            {
                break;
            }

            await GiveAsync(permit).ConfigureAwait(false);
        }

        while (_allowance.IsLimited && (!obeys || _course.State == CircuitState.Closed) && _allowance.Room(Now) > 0)
        {
            // numbers of its own: the course counts on from its last
            await GiveAsync(--_limited).ConfigureAwait(false);
        }

        async Task GiveAsync(long permit)
        {
            _allowance.Given(permit, Now);
            await give(permit, obeys ? _course.State : CircuitState.Closed).ConfigureAwait(false);
        }
    }

    // another one's word: an operator's, or that of one who judged before
    private void Obey(CircuitDocument document)
    {
        if (document.Version > _last.Version)
        {
            _last = document;
            if (document.State != _course.State)
            {
                _nodes.ForgetOutcomes();
                _course.Resume(document.State, Now);
            }
        }
    }

    private async Task<bool> HearAsync(ChannelReader<CircuitJudge.Heard> inbox, CancellationToken cancellationToken)
    {
        var tick = CircuitJudge.TickOf(_course.State);
        var next = _allowance.IsLimited ? TimeSpan.FromSeconds(Math.Min(_allowance.Next(Now), tick.TotalSeconds)) : tick;
        using var patience = new CancellationTokenSource(next > Shortest ? next : Shortest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            await inbox.WaitToReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }

        var pulse = false;
        while (inbox.TryRead(out var heard))
        {
            if (heard.Use is var (number, use))
            {
                Take(number, use);
            }
            else if (heard.Pulse is { } said)
            {
                _nodes.Hear(said, time.GetTimestamp(), time.GetUtcNow());
                if (_slow.Hear(said) > 0 && circuit.Limit is { } cap && _cap.Slow(Now))
                {
                    circuit.Slowed(_cap.Of(cap, Now)!.PerSecond, cap.PerSecond);
                }

                pulse = true;
            }
        }

        return pulse;
    }

    private void Take(long number, PermitUse use)
    {
        if (use.Answered is { } answered)
        {
            _course.Ended(number, answered, use.Message, Now);
        }
        else
        {
            _course.Began(number);
            _allowance.Began(number, Now);
        }
    }

    private async Task JudgeAsync(CancellationToken cancellationToken)
    {
        var living = new Dictionary<string, long?>(StringComparer.Ordinal);
        foreach (var node in _nodes.Current())
        {
            if (node.Last.Points.FirstOrDefault(point => point.Queue == circuit.Queue) is { } point)
            {
                living[node.Last.Node] = point.Back;
            }
        }

        _apart.Welcome(living, _nodes.Targets);
        var verdict = _last.Hand != CircuitHand.Auto || circuit.Interval is null || _course.State is CircuitState.Open or CircuitState.HalfOpen
            ? null
            : _nodes.Targets.Judge(circuit.Queue, living.Keys);
        if (verdict?.Target is { } evidence)
        {
            _course.Open(Now);
            _why = evidence.ToString();
        }

        await _apart.JudgeAsync(living, _course.State == CircuitState.Closed ? verdict?.Nodes : null, cancellationToken).ConfigureAwait(false);
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        if (_course.State == _last.State || _last.Hand != CircuitHand.Auto)
        {
            return;
        }

        if (_course.State is CircuitState.Closing)
        {
            // what happened before counts for nothing
            _nodes.ForgetOutcomes();
        }

        var now = time.GetUtcNow();
        var document = new CircuitDocument(circuit.Queue, _course.State)
        {
            Version = Math.Max(circuit.LatestVersion, _last.Version) + 1,
            By = by,
            At = now,
            Interval = circuit.Interval,
            OpenSince = _course.State == CircuitState.Closed ? null : _last.OpenSince ?? now,
            LastOpening = _course.State == CircuitState.Closed ? _last.OpenSince ?? _last.LastOpening : null,
            Why = _course.State switch
            {
                CircuitState.Open when _last.State == CircuitState.HalfOpen => "the target answered a probe, and failed again",
                CircuitState.Open => _why,
                CircuitState.HalfOpen => "the target answered a probe",
                CircuitState.Closing => "the target answers",
                _ => "the target answers, and nobody waits any more",
            },
        };
        try
        {
            // where another wrote the same version first, its word is read before the next look
            if (await follower.WriteAsync(document.Write(), cancellationToken).ConfigureAwait(false))
            {
                _last = document;
            }
        }
        catch (ControlException)
        {
            // it is said by whoever follows the log; what is known stays as it is, and it is tried again
            await Task.Delay(CircuitJudge.TickOf(CircuitState.Closed), time, cancellationToken).ConfigureAwait(false);
        }
    }
}
