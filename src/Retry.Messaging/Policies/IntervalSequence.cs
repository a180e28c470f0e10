
namespace Retry.Messaging.Policies;

/// <summary>Delays that were written down one by one; after the last there is no further retry, unless it is repeated.</summary>
internal sealed class IntervalSequence : DelaySchedule
{
    private readonly TimeSpan[] _intervals;
    private readonly bool _repeatsLast;

    /// <summary>Makes a schedule of these delays, one retry each.</summary>
    /// <param name="intervals">At least one delay; each zero to <see cref="DelaySchedule.LongestDelay"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="intervals"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is none, or one is out of its range.</exception>
    public IntervalSequence(params TimeSpan[] intervals)
        : this((TimeSpan[])(intervals ?? throw new ArgumentNullException(nameof(intervals))).Clone(), repeatsLast: false)
    {
    }

    private IntervalSequence(TimeSpan[] intervals, bool repeatsLast)
    {
        if (intervals.Length == 0)
        {
            throw new ArgumentOutOfRangeException(nameof(intervals), 0, "Found no interval, wanted at least one; for no retries at all say Retries(0).");
        }

        for (var i = 0; i < intervals.Length; i++)
        {
            RequireDelay(intervals[i], $"intervals[{i}]");
        }

        _intervals = intervals;
        _repeatsLast = repeatsLast;
        Cap = intervals.Max();
    }

    /// <summary>Gets the delays as they were written down.</summary>
    public IReadOnlyList<TimeSpan> Intervals => _intervals.AsReadOnly();

    /// <summary>Gets the longest of the delays.</summary>
    public override TimeSpan? Cap { get; }

    /// <summary>Gets the number of delays, or null when the last one is repeated.</summary>
    public override int? Count => _repeatsLast ? null : _intervals.Length;

    /// <summary>Returns the same delays, of which the last one then holds for every further retry.</summary>
    /// <returns>A schedule that never ends: what more retries than intervals, or "until expired", ask for.</returns>
    public IntervalSequence RepeatingLast() => new(_intervals, repeatsLast: true);

    /// <inheritdoc />
    public override TimeSpan? DelayBefore(int retry)
    {
        RequireRetry(retry);
        return retry <= _intervals.Length ? _intervals[retry - 1]
            : _repeatsLast ? _intervals[^1]
            : null;
    }

    /// <inheritdoc />
    public override string ToString() =>
        $"Intervals({string.Join(", ", _intervals.Select(DurationText.Format))}{(_repeatsLast ? ", …" : "")})";
}
