using Retry.Messaging.Configuration;

namespace Retry.Messaging.Breaker;

/// <summary>How many messages may come back, where those that succeed earn it. Pure.</summary>
/// <remarks>
/// <para>
/// A token bucket that successes fill, after Finagle's <c>RetryBudget</c> (Twitter, finagle-core, com.twitter.finagle.service: a time to live of
/// ten seconds, a share of retries and a least number per second). Two things are other than there. Only successes earn, since a target
/// that fails gets no more retries for being called. And the floor is not added to the share: each second earns the larger of the two.
/// </para>
/// <para>
/// What is saved is at most what the last ten seconds earned, so that a quiet hour is no herd; one message may always be saved, so that a floor
/// below one in ten seconds lets through what it says. It starts with nothing.
/// </para>
/// Times are seconds on a clock that does not go back.
/// </remarks>
internal sealed class RetryTokens
{
    /// <summary>For how many seconds what was earned can be used.</summary>
    public const int Life = 10;

    // a hundred hundredths are a little less than one
    private const double Rounding = 1e-6;

    private readonly double[] _earned = new double[Life + 1];
    private RetryBudget? _budget;
    private double _tokens;
    private long _second = long.MinValue;

    /// <summary>Sets the budget. What was earned under another one is kept.</summary>
    public void Change(RetryBudget? budget, double now)
    {
        MoveTo(now);
        _budget = budget;
    }

    /// <summary>Attempts have succeeded.</summary>
    public void Earn(long successes, double now)
    {
        MoveTo(now);
        Add(successes * (_budget?.Share ?? 0));
    }

    /// <summary>Returns how many messages may come back now.</summary>
    public double Left(double now)
    {
        MoveTo(now);
        return _tokens + Rounding;
    }

    /// <summary>Returns after how many seconds the floor may allow another message.</summary>
    public static double Next(double now) => Math.Floor(now) + 1 - now;

    /// <summary>A message comes back.</summary>
    public void Take(double now)
    {
        MoveTo(now);
        _tokens--;
    }

    /// <summary>Forgets what was earned, because another may have used it.</summary>
    public void Clear(double now)
    {
        MoveTo(now);
        Array.Clear(_earned);
        _tokens = 0;
    }

    private static int Slot(long second) => (int)(second % (Life + 1));

    private void Add(double tokens)
    {
        _earned[Slot(_second)] += tokens;
        _tokens += tokens;
    }

    // a second that has ended, and earned less than the floor, has earned the floor
    private void MoveTo(double now)
    {
        var second = (long)Math.Floor(now);
        if (_second == long.MinValue)
        {
            _second = second;
        }

        if (second - Life - 1 - _second is var unseen and > 0)
        {
            Array.Clear(_earned);
            _tokens += unseen * (_budget?.FloorPerSecond ?? 0);
            _second += unseen;
        }

        while (_second < second)
        {
            Add(Math.Max((_budget?.FloorPerSecond ?? 0) - _earned[Slot(_second)], 0));
            _earned[Slot(_second + 1)] = 0;
            _second++;
            _tokens = Math.Min(_tokens, Math.Max(1, _earned.Sum()));
        }
    }
}
