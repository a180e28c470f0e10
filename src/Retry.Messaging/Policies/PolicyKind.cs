namespace Retry.Messaging.Policies;

/// <summary>The shapes of a policy, by the names that configuration uses.</summary>
internal enum PolicyKind
{
    /// <summary>Delays that grow by a factor: <see cref="ExponentialBackoff"/>.</summary>
    Exponential = 0,

    /// <summary>Delays that grow by an amount: <see cref="LinearBackoff"/>.</summary>
    Linear,

    /// <summary>The same delay each time: <see cref="FixedInterval"/>.</summary>
    Fixed,

    /// <summary>Delays written down one by one: <see cref="IntervalSequence"/>.</summary>
    Intervals,

    /// <summary>No delay: <see cref="ImmediateRetry"/>.</summary>
    Immediate,

    /// <summary>A function, in code only: <see cref="CustomDelays"/>.</summary>
    Custom,
}
