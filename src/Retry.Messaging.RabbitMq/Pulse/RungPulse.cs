using Retry.Messaging.Ladder;
using Retry.Messaging.RabbitMq.Counting;

namespace Retry.Messaging.RabbitMq.Pulse;

/// <summary>What a process has in one rung, for a point.</summary>
/// <param name="Level">The index of the rung's level.</param>
/// <param name="Digit">Its digit.</param>
/// <param name="Count">How many messages.</param>
/// <param name="Next">In how many milliseconds the first of them leaves it.</param>
/// <param name="Last">In how many milliseconds the last of them leaves it.</param>
internal sealed record RungPulse(int Level, int Digit, double Count, long Next, long Last)
{
    /// <summary>By how many the count may be wrong.</summary>
    public double Error { get; init; }

    /// <summary>Writes what a book says.</summary>
    public static RungPulse Of(RungWait wait, DateTimeOffset now) => new(
        wait.Level,
        wait.Digit,
        Math.Round(wait.Count, 1),
        Milliseconds(wait.Next - now),
        Milliseconds(wait.Last - now)) { Error = Math.Round(wait.Error, 1) };

    /// <summary>Reads it; <see langword="null"/> where the ladder has no such rung.</summary>
    /// <param name="now">When it came.</param>
    public RungWait? Read(DateTimeOffset now) =>
        Level >= 0 && Level < DelayLadder.LevelCount && Digit > 0 && Digit <= DelayLadder.Levels[Level].MaxDigit && Count > 0
            ? new RungWait(Level, Digit, Count, Error, now + Time(Next), now + Time(Last))
            : null;

    private static long Milliseconds(TimeSpan time) => (long)Math.Max(time.TotalMilliseconds, 0);

    private static TimeSpan Time(long milliseconds) => TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, 0, (long)DelayLadder.MaxDelay.TotalMilliseconds));
}
