namespace Retry.Messaging.Breaker;

/// <summary>What a node does that was set apart: when it tries itself, and when it takes part again. Pure.</summary>
/// <remarks>
/// After an interval it tries itself with one message, and after each failure it waits twice as long, up to a minute. A message that was
/// answered is followed by the next at once, and three of them in a row show that it is well. A node that is set apart again within a
/// minute goes on with the pause that it had.
/// Times are seconds on a clock that does not go back.
/// </remarks>
internal sealed class ApartCourse
{
    /// <summary>So many answers in a row, each to another message, show that a node is well.</summary>
    public const int Answers = 3;

    /// <summary>The longest time between two tries, in seconds, and for how long a node must take part until its failures are forgotten.</summary>
    public const double Longest = 60;

    private readonly HashSet<string> _answered = new(StringComparer.Ordinal);
    private long _number;
    private int _failures;
    private double _due;
    private double _backAt = double.NegativeInfinity;

    /// <summary>Gets or sets the time between two tries, in seconds.</summary>
    public double Interval { get; set; }

    /// <summary>Gets a value indicating whether the node takes no messages but those that it tries itself with.</summary>
    public bool IsApart { get; private set; }

    /// <summary>Gets the last number that it has come back from.</summary>
    public long Back { get; private set; }

    /// <summary>Notes whether the node is among those that are set apart.</summary>
    /// <param name="number">Which time it is; 0 where it is not.</param>
    /// <param name="now">The current time.</param>
    public void Name(long number, double now)
    {
        if (number <= Back)
        {
            // where others let it go it has shown nothing, and its failures count on
            IsApart = false;
        }
        else if (!IsApart || number != _number)
        {
            _failures = now - _backAt < Longest ? _failures : 0;
            _answered.Clear();
            (IsApart, _number, _due) = (true, number, now + Pause());
        }
    }

    /// <summary>Tells whether a message is to be tried.</summary>
    public bool IsDue(double now) => IsApart && now >= _due;

    /// <summary>Tells after how many seconds a message is to be tried.</summary>
    public double Next(double now) => Math.Max(_due - now, 0);

    /// <summary>A try has ended.</summary>
    /// <param name="answered">Whether the target answered; <see langword="null"/> where the message did not come to be consumed.</param>
    /// <param name="message">Which message it was.</param>
    /// <param name="now">The current time.</param>
    public void Ended(bool? answered, string message, double now)
    {
        if (!IsApart)
        {
            return;
        }

        if (answered == true)
        {
            _answered.Add(message);
            _due = now;
            if (_answered.Count == Answers)
            {
                TakePart(now);
            }

            return;
        }

        if (answered == false)
        {
            _answered.Clear();
            _failures++;
        }

        _due = now + Pause();
    }

    /// <summary>It takes part again, whatever others say of the time that it was set apart.</summary>
    public void TakePart(double now)
    {
        if (IsApart)
        {
            (IsApart, Back, _backAt) = (false, _number, now);
        }
    }

    private double Pause() => Math.Min(Interval * Math.Pow(2, Math.Min(_failures, 30)), Math.Max(Interval, Longest));
}
