namespace Retry.Messaging.Breaker;

/// <summary>What one who judges a target has the circuit do: when it opens, how many deliveries may begin, and how it closes again. Pure.</summary>
/// <remarks>
/// <para>
/// A permit lets one delivery begin, wherever in the cluster. While the circuit is open there is one in an interval. The first that the target
/// answers begins the steps 1, 1, 2, 4, 8; a step that fails costs its own size, and the circuit is open again for an interval. Then permits come
/// by the second, twice as many in each, until nobody waits for them or there are enough: then none is needed any more.
/// </para>
/// <para>
/// A permit that nobody has taken by the end of its interval says nothing; where nobody has taken any, three answers are enough to close. One that was taken and has not ended by then is an error: a target
/// that hangs is not well. Answers to one message count once.
/// </para>
/// Times are seconds on a clock that does not go back.
/// </remarks>
/// <param name="interval">The time between two probes, in seconds.</param>
internal sealed class CircuitCourse(double interval)
{
    /// <summary>How many deliveries a second may begin in the last second before the circuit is closed.</summary>
    public const double Enough = 1024;

    private const double FirstRate = 16;

    // so many answers are enough where nobody waits any more
    private const int FewAnswers = 3;
    private static readonly int[] Steps = [1, 1, 2, 4, 8];

    private readonly Dictionary<long, bool> _running = [];
    private readonly HashSet<string> _answered = new(StringComparer.Ordinal);
    private long _permits;
    private int _step;
    private int _left;
    private double _due;
    private double _since;
    private double _given;
    private long _taken;
    private int _began;
    private int _errors;
    private int _answers;

    /// <summary>Gets what the circuit lets through.</summary>
    public CircuitState State { get; private set; }

    /// <summary>Gets or sets the time between two probes, in seconds.</summary>
    public double Interval { get; set; } = interval;

    /// <summary>Goes on where another one was.</summary>
    /// <param name="state">The state.</param>
    /// <param name="now">The current time.</param>
    public void Resume(CircuitState state, double now)
    {
        Become(state, now);
        _due = now;
    }

    /// <summary>The target is ill: nothing begins but probes.</summary>
    public void Open(double now)
    {
        Become(CircuitState.Open, now);
        _due = now + Interval;
    }

    /// <summary>Nothing is held back any more.</summary>
    public void Close(double now) => Become(CircuitState.Closed, now);

    /// <summary>Tells which permits are to be given now.</summary>
    public IReadOnlyList<long> Give(double now)
    {
        if (State == CircuitState.Closing)
        {
            return Next(Ramp(now));
        }

        if (State == CircuitState.Closed || now < _due)
        {
            return [];
        }

        End(now);
        if (State is CircuitState.Closing or CircuitState.Closed || now < _due)
        {
            return [];
        }

        _due = now + Interval;
        _running.Clear();
        (_began, _errors, _answers) = (0, 0, 0);
        _left = Steps[_step];
        return Next(_left);
    }

    /// <summary>A delivery has begun with a permit.</summary>
    public void Began(long permit)
    {
        if (State == CircuitState.Closing)
        {
            _taken++;
        }
        else if (IsOfThisStep(permit))
        {
            _running[permit] = true;
            _began++;
        }
    }

    /// <summary>A delivery has ended that began with a permit.</summary>
    /// <param name="permit">The permit.</param>
    /// <param name="answered">Whether the target answered.</param>
    /// <param name="message">Which message it was.</param>
    /// <param name="now">The current time.</param>
    public void Ended(long permit, bool answered, string message, double now)
    {
        // what began before this step tells of another time
        if (State is CircuitState.Closed or CircuitState.Closing || !IsOfThisStep(permit) || !_running.Remove(permit))
        {
            return;
        }

        if (!answered)
        {
            _errors++;
        }
        else if (_answered.Add(message))
        {
            _answers++;
        }

        _left--;
        if (_left == 0)
        {
            End(now);
        }
    }

    // the step has had its time, or all of its permits have ended
    private void End(double now)
    {
        _errors += _running.Count;
        _running.Clear();
        if (_errors + _answers == 0)
        {
            if (State == CircuitState.HalfOpen && _began == 0 && _answered.Count >= FewAnswers)
            {
                Become(CircuitState.Closing, now);
            }

            return;
        }

        if (_errors >= _answers)
        {
            // the first probe of an opening that fails changes nothing: the next one comes in its time
            if (State == CircuitState.HalfOpen)
            {
                Open(now);
            }

            (_errors, _answers) = (0, 0);
        }
        else if (_step + 1 == Steps.Length)
        {
            Become(CircuitState.Closing, now);
        }
        else
        {
            (State, _step, _due) = (CircuitState.HalfOpen, _step + 1, now);
            (_errors, _answers) = (0, 0);
        }
    }

    private int Ramp(double now)
    {
        var seconds = now - _since;
        if (FirstRate * Math.Pow(2, Math.Floor(seconds)) > Enough || (seconds > 1 && _taken < (_given / 2)))
        {
            Become(CircuitState.Closed, now);
            return 0;
        }

        // as many as by the integral of a rate that doubles in each second
        var (whole, part) = (Math.Floor(seconds), seconds - Math.Floor(seconds));
        var allowed = FirstRate * (Math.Pow(2, whole) - 1 + (Math.Pow(2, whole) * part));
        var more = (int)(allowed - _given);
        _given += more;
        return more;
    }

    private void Become(CircuitState state, double now)
    {
        State = state;
        _step = state == CircuitState.HalfOpen ? 1 : 0;
        (_since, _given, _taken, _left, _began, _errors, _answers) = (now, 0, 0, 0, 0, 0, 0);
        _running.Clear();
        if (state != CircuitState.HalfOpen)
        {
            _answered.Clear();
        }
    }

    private bool IsOfThisStep(long permit) => permit > _permits - Steps[_step] && permit <= _permits;

    private long[] Next(int count)
    {
        _permits += count;
        return [.. Enumerable.Range(1, count).Select(number => _permits - count + number)];
    }
}
