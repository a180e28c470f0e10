using Retry.Messaging.Policies;

namespace Retry.Messaging.Configuration;

/// <summary>Says when to try again, and how often: for a retry point, a message type or an exception.</summary>
/// <remarks>
/// Of several calls that name a kind of policy the last one counts. What no call names comes from the layer below and at the end
/// from <see cref="RetryDefaults"/>. Values are checked when the settings are put together, all at once.
/// </remarks>
public class RetryPolicyBuilder
{
    private protected RetryPolicyBuilder(PolicySettings policy) => Policy = policy;

    private protected PolicySettings Policy { get; }

    /// <summary>Delays that grow by a factor: <c>min(max, first x factor^(retry - 1))</c>.</summary>
    /// <param name="first">The delay before retry 1. The default is 5 seconds.</param>
    /// <param name="factor">What each delay is multiplied by; 1 or more. The default is 3.</param>
    /// <param name="max">The cap. The default is 1 hour, or <paramref name="first"/> where that is longer.</param>
    /// <returns>This builder.</returns>
    public RetryPolicyBuilder Exponential(TimeSpan? first = null, double? factor = null, TimeSpan? max = null)
    {
        Policy.Become(PolicyKind.Exponential);
        Policy.First = first ?? Policy.First;
        Policy.Factor = factor ?? Policy.Factor;
        Policy.Max = max ?? Policy.Max;
        return this;
    }

    /// <summary>Delays that grow by an amount: <c>min(max, first + increment x (retry - 1))</c>.</summary>
    /// <param name="first">The delay before retry 1. The default is 5 seconds.</param>
    /// <param name="increment">What is added each time. The default is 5 seconds.</param>
    /// <param name="max">The cap. The default is 1 hour, or <paramref name="first"/> where that is longer.</param>
    /// <returns>This builder.</returns>
    public RetryPolicyBuilder Linear(TimeSpan? first = null, TimeSpan? increment = null, TimeSpan? max = null)
    {
        Policy.Become(PolicyKind.Linear);
        Policy.First = first ?? Policy.First;
        Policy.Increment = increment ?? Policy.Increment;
        Policy.Max = max ?? Policy.Max;
        return this;
    }

    /// <summary>The same delay each time.</summary>
    /// <param name="delay">The delay.</param>
    /// <returns>This builder.</returns>
    public RetryPolicyBuilder Fixed(TimeSpan delay)
    {
        Policy.Become(PolicyKind.Fixed);
        Policy.Delay = delay;
        return this;
    }

    /// <summary>Delays written down one by one, one retry each; where <see cref="Retries"/> or <see cref="UntilExpired"/> asks for more,
    /// the last one is repeated.</summary>
    /// <param name="intervals">Texts such as <c>100ms</c>, <c>1m30s</c>, <c>2h</c>, <c>1d</c>.</param>
    /// <returns>This builder.</returns>
    /// <exception cref="FormatException">One is not a duration.</exception>
    public RetryPolicyBuilder Intervals(params string[] intervals)
    {
        ArgumentNullException.ThrowIfNull(intervals);
        return Intervals([.. intervals.Select(DurationText.Parse)]);
    }

    /// <summary>Delays written down one by one, one retry each; where <see cref="Retries"/> or <see cref="UntilExpired"/> asks for more,
    /// the last one is repeated.</summary>
    /// <param name="intervals">The delays.</param>
    /// <returns>This builder.</returns>
    public RetryPolicyBuilder Intervals(params TimeSpan[] intervals)
    {
        ArgumentNullException.ThrowIfNull(intervals);
        Policy.Become(PolicyKind.Intervals);
        Policy.Intervals = [.. intervals];
        return this;
    }

    /// <summary>No delay: the message goes straight back to its queue.</summary>
    /// <param name="retries">How many retries; 0 means none.</param>
    /// <returns>This builder.</returns>
    public RetryPolicyBuilder Immediate(int retries)
    {
        Policy.Become(PolicyKind.Immediate);
        Policy.ImmediateRetries = retries;
        return this;
    }

    /// <summary>Delays that a function gives.</summary>
    /// <param name="delayBefore">The delay before a retry, from its number (1 is the first); pure, and safe to call from several threads.
    /// It is tried out when the settings are checked.</param>
    /// <returns>This builder.</returns>
    public RetryPolicyBuilder Custom(Func<int, TimeSpan> delayBefore)
    {
        ArgumentNullException.ThrowIfNull(delayBefore);
        Policy.Become(PolicyKind.Custom);
        Policy.Custom = delayBefore;
        return this;
    }

    /// <summary>How many retries are allowed.</summary>
    /// <param name="retries">0 means none, 8 allows 9 attempts. The default is 8, with intervals one for each.</param>
    /// <returns>This builder.</returns>
    public RetryPolicyBuilder Retries(int retries)
    {
        Policy.Retries = new RetryCount(retries);
        return this;
    }

    /// <summary>Retries until the message expires, as e-mail does: bounded by time, not by a number.</summary>
    /// <returns>This builder.</returns>
    public RetryPolicyBuilder UntilExpired()
    {
        Policy.Retries = RetryCount.UntilExpired;
        return this;
    }

    /// <summary>How delays are spread.</summary>
    /// <param name="jitter">The default is <see cref="Policies.Jitter.Full"/> for exponential delays, else <see cref="Policies.Jitter.None"/>.</param>
    /// <returns>This builder.</returns>
    public RetryPolicyBuilder Jitter(Jitter jitter)
    {
        Policy.Jitter = jitter;
        return this;
    }

    /// <summary>Makes a builder for the policy of an exception.</summary>
    internal static RetryPolicyBuilder Over(PolicySettings policy) => new(policy);
}
