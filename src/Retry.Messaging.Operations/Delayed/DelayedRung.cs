using Retry.Messaging.Ladder;

namespace Retry.Messaging.Operations.Delayed;

/// <summary>What waits in one rung of the ladder: of one point, or of all.</summary>
/// <param name="Level">The index of its level.</param>
/// <param name="Digit">Its digit.</param>
/// <param name="Waiting">How many messages: of a point as its processes have counted them, of all as the broker says.</param>
internal sealed record DelayedRung(int Level, int Digit, long Waiting)
{
    /// <summary>The grade, for example <c>30s</c>.</summary>
    public string Grade => DelayLadder.Levels[Level].Grade(Digit);

    /// <summary>Whether another is the same rung.</summary>
    public bool IsSameAs(DelayedRung other) => (Level, Digit) == (other.Level, other.Digit);

    /// <summary>By how many <see cref="Waiting"/> may be wrong at most. Of all it is 0: that number is the broker's.</summary>
    public long Error { get; init; }

    /// <summary>When the first of them leaves the rung; <see langword="null"/> where nobody who knows has said so.</summary>
    public DateTimeOffset? Next { get; init; }

    /// <summary>When the last of them leaves the rung.</summary>
    public DateTimeOffset? Last { get; init; }
}
