using System.Globalization;

namespace Retry.Messaging.Ladder;

/// <summary>One level of the ladder: one digit of the clock.</summary>
public sealed class LadderLevel
{
    private readonly int _gradeFactor;
    private readonly string _gradeUnit;

    internal LadderLevel(int index, string name, TimeSpan unit, int maxDigit, int gradeFactor, string gradeUnit)
    {
        Index = index;
        Name = name;
        Unit = unit;
        MaxDigit = maxDigit;
        _gradeFactor = gradeFactor;
        _gradeUnit = gradeUnit;
        UnitSteps = unit.Ticks / DelayLadder.Step.Ticks;
    }

    /// <summary>The position of this level's digit in a routing key, 0 for days.</summary>
    public int Index { get; }

    /// <summary>The short name: d, 10h, h, 10m, m, 10s, s or tenths.</summary>
    public string Name { get; }

    /// <summary>The delay that the digit 1 stands for.</summary>
    public TimeSpan Unit { get; }

    /// <summary>The largest digit of this level.</summary>
    public int MaxDigit { get; }

    internal long UnitSteps { get; }

    /// <summary>The grade of a digit in words, for example <c>30s</c>.</summary>
    /// <param name="digit">From 1 to <see cref="MaxDigit"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The level has no such digit.</exception>
    public string Grade(int digit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(digit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(digit, MaxDigit);
        return (digit * _gradeFactor).ToString(CultureInfo.InvariantCulture) + _gradeUnit;
    }

    /// <summary>The time that a message spends on the rung of a digit.</summary>
    /// <param name="digit">From 1 to <see cref="MaxDigit"/>.</param>
    public TimeSpan Delay(int digit) => Unit * digit;

    /// <inheritdoc/>
    public override string ToString() => Name;
}
