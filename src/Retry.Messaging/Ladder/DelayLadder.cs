namespace Retry.Messaging.Ladder;

/// <summary>The arithmetic of the ladder: which rungs make up a delay.</summary>
/// <remarks>
/// The ladder reads like a clock. Each digit of <c>d.HH:MM:SS.t</c> is a rung with its own queue, so a delay takes one hop
/// per non-zero digit: 30 seconds, 5 minutes and 2 hours take one, 1m30s takes two. The routing key spells the digits, then
/// the destination; a zero digit is skipped by an exchange-to-exchange binding.
/// </remarks>
public static class DelayLadder
{
    /// <summary>The number of levels, and of digits in a routing key.</summary>
    public const int LevelCount = 8;

    /// <summary>The smallest difference between two delays.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest delay of one climb; a longer one climbs again with the rest.</summary>
    public static readonly TimeSpan MaxDelay = new(9, 23, 59, 59, 900);

    /// <summary>The levels from days down to tenths of a second, in the order of the routing key's words.</summary>
    public static IReadOnlyList<LadderLevel> Levels => All;

    // as an array: it is walked at every failure
    private static readonly LadderLevel[] All =
    [
        new(0, "d", TimeSpan.FromDays(1), 9, 1, "d"),
        new(1, "10h", TimeSpan.FromHours(10), 2, 10, "h"),
        new(2, "h", TimeSpan.FromHours(1), 9, 1, "h"),
        new(3, "10m", TimeSpan.FromMinutes(10), 5, 10, "m"),
        new(4, "m", TimeSpan.FromMinutes(1), 9, 1, "m"),
        new(5, "10s", TimeSpan.FromSeconds(10), 5, 10, "s"),
        new(6, "s", TimeSpan.FromSeconds(1), 9, 1, "s"),
        new(7, "tenths", Step, 9, 100, "ms"),
    ];

    private static readonly string[] LevelExchanges = [.. All.Select(LadderNames.LevelExchange)];

    /// <summary>Finds the way of a delay through the ladder.</summary>
    /// <param name="delay">
    /// The wanted delay, rounded up to 100 ms; zero or less goes straight to the destination; more than
    /// <see cref="MaxDelay"/> is cut to it.
    /// </param>
    /// <param name="destination">The destination queue's name.</param>
    /// <returns>The exchange to publish to, the routing key and the delay they stand for.</returns>
    public static LadderRoute Route(TimeSpan delay, string destination)
    {
        ArgumentException.ThrowIfNullOrEmpty(destination);

        var steps = Math.Min(StepsRoundedUp(delay), MaxDelay.Ticks / Step.Ticks);
        var exchange = LadderNames.ReturnExchange;
        for (var i = 0; i < LevelCount; i++)
        {
            if (steps >= All[i].UnitSteps)
            {
                exchange = LevelExchanges[i];
                break;
            }
        }

        var key = string.Create((2 * LevelCount) + destination.Length, (steps, destination), static (span, state) =>
        {
            var rest = state.steps;
            for (var i = 0; i < LevelCount; i++)
            {
                var unit = All[i].UnitSteps;
                span[2 * i] = (char)('0' + (rest / unit));
                span[(2 * i) + 1] = '.';
                rest %= unit;
            }

            state.destination.CopyTo(span[(2 * LevelCount)..]);
        });

        return new LadderRoute(exchange, key, Step * steps);
    }

    /// <summary>Rounds a drawn delay up so that it keeps few digits of the clock, and so takes few hops.</summary>
    /// <remarks>
    /// Keeps two non-zero digits below one hour and three from there on: 27.4 s becomes 28 s, 9m58s becomes 10m. Only for
    /// jittered delays, where no exact one was asked for.
    /// </remarks>
    /// <param name="delay">The drawn delay.</param>
    /// <param name="limit">What the result never exceeds: the policy's cap or what is left until the deadline.</param>
    public static TimeSpan RoundUpToFewHops(TimeSpan delay, TimeSpan limit)
    {
        var steps = StepsRoundedUp(delay);
        var keep = delay < TimeSpan.FromHours(1) ? 2 : 3;
        var rest = steps;
        foreach (var level in All)
        {
            if (rest < level.UnitSteps)
            {
                continue;
            }

            rest %= level.UnitSteps;
            if (--keep == 0)
            {
                steps += rest == 0 ? 0 : level.UnitSteps - rest;
                break;
            }
        }

        var rounded = Step * steps;
        return rounded <= limit ? rounded : Max(RoundDown(limit), TimeSpan.Zero);
    }

    /// <summary>Rounds an exact delay up to the ladder's step of 100 ms.</summary>
    /// <param name="delay">The delay; less than zero counts as zero.</param>
    public static TimeSpan RoundUp(TimeSpan delay) => Step * StepsRoundedUp(delay);

    private static TimeSpan RoundDown(TimeSpan delay) => Step * (delay.Ticks / Step.Ticks);

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static long StepsRoundedUp(TimeSpan delay) =>
        delay <= TimeSpan.Zero ? 0 : ((delay.Ticks - 1) / Step.Ticks) + 1;
}
