using System.Globalization;

namespace Retry.Messaging.Policies;

/// <summary>Each delay is a multiple of the one before: <c>min(max, first x factor^(retry - 1))</c>.</summary>
internal sealed class ExponentialBackoff : DelaySchedule
{
    /// <summary>Makes a schedule that grows by a factor.</summary>
    /// <param name="first">The delay before retry 1; zero to <see cref="DelaySchedule.LongestDelay"/>.</param>
    /// <param name="factor">What each delay is multiplied by to get the next; 1 or more.</param>
    /// <param name="max">The cap; <paramref name="first"/> to <see cref="DelaySchedule.LongestDelay"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range; the message says found and wanted.</exception>
    public ExponentialBackoff(TimeSpan first, double factor, TimeSpan max)
    {
        First = RequireDelay(first, nameof(first));
        if (!(factor >= 1) || !double.IsFinite(factor))
        {
            throw new ArgumentOutOfRangeException(
                nameof(factor),
                factor,
                string.Create(CultureInfo.InvariantCulture, $"Found factor = {factor}, wanted a finite number of 1 or more: delays must not shrink."));
        }

        Factor = factor;
        Max = RequireMax(max, first);
    }

    /// <summary>Gets the delay before retry 1.</summary>
    public TimeSpan First { get; }

    /// <summary>Gets what each delay is multiplied by to get the next.</summary>
    public double Factor { get; }

    /// <summary>Gets the cap.</summary>
    public TimeSpan Max { get; }

    /// <inheritdoc />
    public override TimeSpan? Cap => Max;

    /// <inheritdoc />
    public override TimeSpan? DelayBefore(int retry)
    {
        RequireRetry(retry);
        if (First == TimeSpan.Zero)
        {
            return TimeSpan.Zero; // 0 x infinity is no number
        }

        // Beyond 2^1024 the power is infinity, which is not below the cap either.
        var ticks = First.Ticks * Math.Pow(Factor, retry - 1);
        return ticks < Max.Ticks ? TimeSpan.FromTicks((long)Math.Round(ticks)) : Max;
    }

    /// <inheritdoc />
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"Exponential(first: {DurationText.Format(First)}, factor: {Factor}, max: {DurationText.Format(Max)})");
}
