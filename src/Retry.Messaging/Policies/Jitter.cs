namespace Retry.Messaging.Policies;

/// <summary>How delays are spread, so that messages which failed together do not come back together.</summary>
/// <remarks>
/// Names and formulas are those of Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015, with one
/// difference, at <see cref="Full"/>.
/// </remarks>
public enum Jitter
{
    /// <summary>The delay as the schedule says.</summary>
    None = 0,

    /// <summary>Anything up to the delay: <c>uniform(0, d)</c>, but at least 100 ms (or d, where d is shorter), so that it is never a hot retry.</summary>
    Full,

    /// <summary>At least half of the delay: <c>d/2 + uniform(0, d/2)</c>.</summary>
    Equal,

    /// <summary>Drawn from the delay before: <c>min(cap, uniform(first, previous x 3))</c>; the schedule gives only its first delay and its cap.</summary>
    Decorrelated,
}
