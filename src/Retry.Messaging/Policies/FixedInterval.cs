
namespace Retry.Messaging.Policies;

/// <summary>The same delay before every retry.</summary>
internal sealed class FixedInterval : DelaySchedule
{
    /// <summary>Makes a schedule of one delay.</summary>
    /// <param name="delay">The delay; zero to <see cref="DelaySchedule.LongestDelay"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="delay"/> is out of its range.</exception>
    public FixedInterval(TimeSpan delay) => Delay = RequireDelay(delay, nameof(delay));

    /// <summary>Gets the delay.</summary>
    public TimeSpan Delay { get; }

    /// <inheritdoc />
    public override TimeSpan? Cap => Delay;

    /// <inheritdoc />
    public override TimeSpan? DelayBefore(int retry)
    {
        RequireRetry(retry);
        return Delay;
    }

    /// <inheritdoc />
    public override string ToString() => $"Fixed({DurationText.Format(Delay)})";
}
