using Retry.Messaging.Ladder;

namespace Retry.Messaging.RabbitMq.Counting;

/// <summary>When a message with a certain delay is in which rung.</summary>
internal static class ClimbPath
{
    /// <summary>One rung on the way.</summary>
    /// <param name="Level">The index of its level.</param>
    /// <param name="Digit">Its digit.</param>
    /// <param name="From">After what time the message enters it.</param>
    /// <param name="Until">After what time the message leaves it.</param>
    public readonly record struct Hop(int Level, int Digit, TimeSpan From, TimeSpan Until);

    /// <summary>The rungs of a delay, in the order in which they are climbed.</summary>
    /// <param name="delay">A multiple of <see cref="DelayLadder.Step"/>, at most <see cref="DelayLadder.MaxDelay"/>.</param>
    public static IEnumerable<Hop> Of(TimeSpan delay)
    {
        var passed = TimeSpan.Zero;
        foreach (var level in DelayLadder.Levels)
        {
            var digit = (int)((delay - passed) / level.Unit);
            if (digit > 0)
            {
                var until = passed + level.Delay(digit);
                yield return new Hop(level.Index, digit, passed, until);
                passed = until;
            }
        }
    }
}
