namespace Retry.Messaging.Breaker;

/// <summary>The outcomes of one node at one point over the last ten minutes, by the second.</summary>
/// <remarks>Sums up to each second stand in a ring, so that what happened since any moment is one subtraction.</remarks>
internal sealed class NodeOutcomes
{
    /// <summary>For how many seconds outcomes are remembered.</summary>
    public const int Memory = 600;

    private readonly OutcomeCount[] _upTo = new OutcomeCount[Memory + 1];
    private long _first = long.MaxValue;
    private long _last = long.MinValue;

    /// <summary>Notes outcomes. Those that come late count from when they came.</summary>
    /// <param name="second">The current second, on a clock that does not go back.</param>
    /// <param name="outcomes">What is new.</param>
    public void Add(long second, OutcomeCount outcomes)
    {
        MoveTo(second);
        Last += outcomes;
        _first = Math.Min(_first, second);
    }

    /// <summary>Tells what happened in the last seconds, the current one included.</summary>
    /// <param name="second">The current second.</param>
    /// <param name="seconds">How many; at most <see cref="Memory"/>.</param>
    public OutcomeCount InLast(int seconds, long second)
    {
        MoveTo(second);
        return Last - _upTo[Slot(_last - seconds)];
    }

    /// <summary>Tells for how many seconds outcomes of this node are known.</summary>
    /// <param name="second">The current second.</param>
    public long Age(long second) => _first == long.MaxValue ? 0 : second - _first;

    private ref OutcomeCount Last => ref _upTo[Slot(_last)];

    private static int Slot(long second) => (int)(((second % (Memory + 1)) + Memory + 1) % (Memory + 1));

    private void MoveTo(long second)
    {
        if (_last == long.MinValue)
        {
            _last = second;
        }

        var sum = Last;
        for (var next = Math.Max(_last + 1, second - Memory); next <= second; next++)
        {
            _upTo[Slot(next)] = sum;
        }

        _last = Math.Max(_last, second);
    }
}
