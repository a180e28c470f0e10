
namespace Retry.Messaging.Policies;

/// <summary>How long to wait before each retry, before jitter: a pure function of the number of the retry.</summary>
/// <remarks>
/// The family is closed. A shape that is not here is a <see cref="CustomDelays"/>. Every delay lies between zero and
/// <see cref="LongestDelay"/>, whatever the number of the retry: nothing here overflows.
/// </remarks>
internal abstract class DelaySchedule
{
    private protected DelaySchedule()
    {
    }

    /// <summary>Gets the longest delay that any schedule may ask for: 365 days.</summary>
    /// <remarks>Longer than the ladder on purpose: a longer delay climbs the ladder again with the rest.</remarks>
    public static TimeSpan LongestDelay { get; } = TimeSpan.FromDays(365);

    /// <summary>Gets the longest delay of this schedule, or null where that cannot be known.</summary>
    /// <remarks>Neither jitter nor rounding to a rung of the ladder may exceed it.</remarks>
    public abstract TimeSpan? Cap { get; }

    /// <summary>Gets how many delays the schedule has, or null when it never ends.</summary>
    public virtual int? Count => null;

    /// <summary>Returns the delay before a retry, without jitter.</summary>
    /// <param name="retry">The number of the retry, from 1.</param>
    /// <returns>The delay, or null when the schedule has no further one.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="retry"/> is below 1.</exception>
    public abstract TimeSpan? DelayBefore(int retry);

    /// <summary>Returns the schedule as it would be written in configuration, for logs.</summary>
    /// <returns>For example <c>Exponential(first: 5s, factor: 3, max: 1h)</c>.</returns>
    public abstract override string ToString();

    private protected static TimeSpan RequireDelay(TimeSpan delay, string name)
    {
        if (delay < TimeSpan.Zero || delay > LongestDelay)
        {
            throw new ArgumentOutOfRangeException(
                name,
                delay,
                $"Found {name} = {DurationText.Format(delay)}, wanted a duration from 0s to {DurationText.Format(LongestDelay)}.");
        }

        return delay;
    }

    private protected static TimeSpan RequireMax(TimeSpan max, TimeSpan first)
    {
        RequireDelay(max, nameof(max));
        if (max < first)
        {
            throw new ArgumentOutOfRangeException(
                nameof(max),
                max,
                $"Found max = {DurationText.Format(max)}, wanted at least first = {DurationText.Format(first)}.");
        }

        return max;
    }

    private protected static void RequireRetry(int retry)
    {
        if (retry < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(retry), retry, $"Found retry {retry}, wanted 1 or more: the first retry is number 1.");
        }
    }
}
