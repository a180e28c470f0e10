namespace Retry.Messaging.Policies;

/// <summary>What holds where nothing is configured: code, definition and appsettings all win over it.</summary>
internal static class RetryDefaults
{
    /// <summary>The policy: exponential.</summary>
    public const PolicyKind Policy = PolicyKind.Exponential;

    /// <summary>What an exponential delay is multiplied by: 3.</summary>
    public const double Factor = 3;

    /// <summary>The number of retries: 8, so 9 attempts. With the delays here they take two and a half hours without jitter.</summary>
    public const int Retries = 8;

    /// <summary>Messages that a limited point may send at once after a pause: 1.</summary>
    public const int Burst = 1;

    /// <summary>Retries that a budget allows for each success: 0.2.</summary>
    public const double BudgetShare = 0.2;

    /// <summary>Retries per second that a budget allows in any case: 1.</summary>
    public const double BudgetFloor = 1;

    /// <summary>Gets the delay before the first retry, exponential or linear: 5 seconds.</summary>
    public static TimeSpan First { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets what a linear delay grows by: 5 seconds.</summary>
    public static TimeSpan Increment { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets the cap of an exponential or linear delay: 1 hour, or the first delay where that is longer.</summary>
    public static TimeSpan Max { get; } = TimeSpan.FromHours(1);

    /// <summary>Gets the delay of a fixed policy that names none: 30 seconds.</summary>
    public static TimeSpan Delay { get; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets how long a message may keep being retried, counted from its first failure: 7 days.</summary>
    public static TimeSpan ValidFor { get; } = TimeSpan.FromDays(7);

    /// <summary>Gets how long lost messages go on by themselves when their queue is back: 24 hours from when they were lost.</summary>
    public static TimeSpan ForwardLostFor { get; } = TimeSpan.FromHours(24);

    /// <summary>Gets how often an ill target is tried with one message while the circuit is open: 5 seconds.</summary>
    public static TimeSpan BreakerInterval { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets the delays of the default policy: 5 s, 15 s, 45 s … 1 h.</summary>
    public static ExponentialBackoff Schedule { get; } = new(First, Factor, Max);

    /// <summary>Returns the jitter of a policy that names none.</summary>
    /// <param name="policy">The kind of policy.</param>
    /// <returns><see cref="Jitter.Full"/> for an exponential one, <see cref="Jitter.None"/> for all others.</returns>
    public static Jitter JitterOf(PolicyKind policy) => policy == PolicyKind.Exponential ? Jitter.Full : Jitter.None;
}
