using System.Globalization;

namespace Retry.Messaging.Policies;

/// <summary>When to try again, and how often: a schedule, a number of retries and a jitter.</summary>
/// <remarks>Immutable. It knows no clock: how long a message stays valid is decided beside it.</remarks>
internal sealed record RetryPolicy
{
    /// <summary>The shortest delay that <see cref="Policies.Jitter.Full"/> draws, unless the nominal delay is shorter.</summary>
    internal static readonly TimeSpan FullJitterFloor = TimeSpan.FromMilliseconds(100);

    private readonly int? _maxRetries;

    /// <summary>Makes a policy.</summary>
    /// <param name="schedule">The delays.</param>
    /// <param name="maxRetries">The retries allowed; 0 means none; null: as many as the schedule has, until the message expires.</param>
    /// <param name="jitter">How the delays are spread.</param>
    /// <exception cref="ArgumentNullException"><paramref name="schedule"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxRetries"/> is negative, or <paramref name="jitter"/> is not one of
    /// the enumeration.</exception>
    public RetryPolicy(DelaySchedule schedule, int? maxRetries = null, Jitter jitter = Jitter.None)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        if (maxRetries < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(maxRetries), maxRetries, $"Found {maxRetries} retries, wanted 0 (none) or more.");
        }

        if (!Enum.IsDefined(jitter))
        {
            throw new ArgumentOutOfRangeException(
                nameof(jitter),
                jitter,
                $"Found jitter {(int)jitter}, wanted one of {string.Join(", ", Enum.GetNames<Jitter>())}.");
        }

        Schedule = schedule;
        _maxRetries = maxRetries;
        Jitter = jitter;
    }

    /// <summary>Gets the delays.</summary>
    public DelaySchedule Schedule { get; }

    /// <summary>Gets how many retries are allowed, or null: until the message expires. A sequence of intervals allows its length.</summary>
    public int? MaxRetries => Schedule.Count is { } count && !(_maxRetries < count) ? count : _maxRetries;

    /// <summary>Gets how the delays are spread.</summary>
    public Jitter Jitter { get; }

    /// <summary>Returns the delay before a retry without jitter.</summary>
    /// <param name="retry">The number of the retry, from 1.</param>
    /// <returns>The delay, or null when no such retry is allowed.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="retry"/> is below 1.</exception>
    public TimeSpan? NominalDelay(int retry) =>
        Schedule.DelayBefore(retry) is { } delay && !(retry > MaxRetries) ? delay : null;

    /// <summary>Draws the delay before a retry.</summary>
    /// <param name="retry">The number of the retry, from 1.</param>
    /// <param name="previousDelay">The delay drawn before the last retry, null at the first; only <see cref="Jitter.Decorrelated"/> looks at it.</param>
    /// <param name="random">The source of chance; seed it to repeat a run.</param>
    /// <returns>The delay, from zero to the cap of the schedule, or null when the retries or the schedule are exhausted.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="random"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="retry"/> is below 1.</exception>
    public TimeSpan? NextDelay(int retry, TimeSpan? previousDelay, Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        if (NominalDelay(retry) is not { } nominal)
        {
            return null;
        }

        return Jitter switch
        {
            Jitter.Full => Longer(Uniform(TimeSpan.Zero, nominal, random), Shorter(FullJitterFloor, nominal)),
            Jitter.Equal => Uniform(nominal / 2, nominal, random),
            Jitter.Decorrelated => Decorrelated(previousDelay, random),
            _ => nominal,
        };
    }

    /// <summary>Returns the policy as it would be written in configuration, for logs.</summary>
    /// <returns>For example <c>Exponential(first: 5s, factor: 3, max: 1h).Retries(8).Jitter(Full)</c>.</returns>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Schedule}{(MaxRetries is { } retries ? $".Retries({retries})" : ".UntilExpired()")}{(Jitter == Jitter.None ? "" : $".Jitter({Jitter})")}");

    private static TimeSpan Uniform(TimeSpan low, TimeSpan high, Random random) =>
        TimeSpan.FromTicks(random.NextInt64(low.Ticks, high.Ticks + 1));

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private TimeSpan Decorrelated(TimeSpan? previousDelay, Random random)
    {
        var cap = Schedule.Cap ?? DelaySchedule.LongestDelay;
        var first = Schedule.DelayBefore(1) ?? TimeSpan.Zero;

        // The previous delay comes back in a header that anybody can write: clamped before it is multiplied.
        var previous = Shorter(Longer(previousDelay ?? first, first), cap);
        return Shorter(cap, Uniform(first, Longer(previous * 3, first), random));
    }
}
