using Retry.Messaging.Ladder;

namespace Retry.Messaging.RabbitMq.Counting;

/// <summary>What waits in one rung.</summary>
/// <param name="Level">The index of the rung's level, 0 for days.</param>
/// <param name="Digit">The rung's digit.</param>
/// <param name="Count">How many messages wait there.</param>
/// <param name="Error">By how many the count may be wrong, because messages that were counted together leave one after the other.</param>
/// <param name="Next">When the first of them leaves the rung.</param>
/// <param name="Last">When the last of them leaves the rung.</param>
internal readonly record struct RungWait(int Level, int Digit, double Count, double Error, DateTimeOffset Next, DateTimeOffset Last)
{
    /// <summary>The rung's grade, for example <c>30s</c>.</summary>
    public string Grade => DelayLadder.Levels[Level].Grade(Digit);

    /// <summary>Both together.</summary>
    public RungWait And(RungWait other) => this with
    {
        Count = Count + other.Count,
        Error = Error + other.Error,
        Next = Next < other.Next ? Next : other.Next,
        Last = Last > other.Last ? Last : other.Last,
    };
}
