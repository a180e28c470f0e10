
namespace Retry.Messaging.Policies;

/// <summary>Each delay is longer than the one before by the same amount: <c>min(max, first + increment x (retry - 1))</c>.</summary>
internal sealed class LinearBackoff : DelaySchedule
{
    /// <summary>Makes a schedule that grows by an amount.</summary>
    /// <param name="first">The delay before retry 1; zero to <see cref="DelaySchedule.LongestDelay"/>.</param>
    /// <param name="increment">What is added each time; zero to <see cref="DelaySchedule.LongestDelay"/>.</param>
    /// <param name="max">The cap; <paramref name="first"/> to <see cref="DelaySchedule.LongestDelay"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range; the message says found and wanted.</exception>
    public LinearBackoff(TimeSpan first, TimeSpan increment, TimeSpan max)
    {
        First = RequireDelay(first, nameof(first));
        Increment = RequireDelay(increment, nameof(increment));
        Max = RequireMax(max, first);
    }

    /// <summary>Gets the delay before retry 1.</summary>
    public TimeSpan First { get; }

    /// <summary>Gets what is added each time.</summary>
    public TimeSpan Increment { get; }

    /// <summary>Gets the cap.</summary>
    public TimeSpan Max { get; }

    /// <inheritdoc />
    public override TimeSpan? Cap => Max;

    /// <inheritdoc />
    public override TimeSpan? DelayBefore(int retry)
    {
        RequireRetry(retry);
        if (Increment == TimeSpan.Zero)
        {
            return First;
        }

        // Divided, not multiplied: increment x retry leaves the range of ticks long before retry does.
        var stepsBelowMax = (Max.Ticks - First.Ticks) / Increment.Ticks;
        return retry - 1 <= stepsBelowMax ? First + TimeSpan.FromTicks(Increment.Ticks * (retry - 1)) : Max;
    }

    /// <inheritdoc />
    public override string ToString() =>
        $"Linear(first: {DurationText.Format(First)}, increment: {DurationText.Format(Increment)}, max: {DurationText.Format(Max)})";
}
