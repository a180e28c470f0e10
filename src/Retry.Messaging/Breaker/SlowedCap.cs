using Retry.Messaging.Configuration;

namespace Retry.Messaging.Breaker;

/// <summary>A cap that halves when the target asks to be called less often, and comes back by and by. Pure.</summary>
/// <remarks>
/// Additive increase, multiplicative decrease (D.-M. Chiu, R. Jain, Analysis of the increase and decrease algorithms for congestion avoidance in
/// computer networks, 1989): what is sent finds its way to what the target takes, without knowing it. Answers to what was sent at
/// the old rate still come in for a while, so within <see cref="Period"/> seconds it is halved once.
/// Times are seconds on a clock that does not go back.
/// </remarks>
internal sealed class SlowedCap
{
    /// <summary>How many seconds lie between two halvings at least.</summary>
    public const double Period = 5;

    /// <summary>The least share of the cap: it never stops.</summary>
    public const double Least = 1.0 / 64;

    /// <summary>The share of the cap that comes back in each second: a halved cap is whole again after half a minute.</summary>
    public const double Step = 1.0 / 60;

    private double _halvedTo = 1;
    private double _halvedAt = double.NegativeInfinity;

    /// <summary>The target asks to be called less often.</summary>
    /// <returns>Whether that halves the cap.</returns>
    public bool Slow(double now)
    {
        if (now - _halvedAt < Period)
        {
            return false;
        }

        (_halvedTo, _halvedAt) = (Math.Max(Share(now) / 2, Least), now);
        return true;
    }

    /// <summary>Returns which share of the cap holds. It changes once a second.</summary>
    public double Share(double now) => _halvedTo >= 1 ? 1 : Math.Min(_halvedTo + (Step * Math.Floor(now - _halvedAt)), 1);

    /// <summary>Returns what holds of a cap; <see langword="null"/> for none.</summary>
    public RedeliveryLimit? Of(RedeliveryLimit? cap, double now) =>
        cap is null || Share(now) is var share && share >= 1 ? cap : cap with { PerSecond = Math.Max(cap.PerSecond * share, SettingRange.LowestRate) };
}
