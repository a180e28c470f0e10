using Retry.Messaging.Outcomes;

namespace Retry.Messaging.Configuration;

/// <summary>Says how messages are retried, and which exceptions are worth it: for a retry point, or for one message type in it.</summary>
/// <remarks>
/// A rule fits the exceptions of its type and derived ones, inner exceptions and members of an <see cref="AggregateException"/> too:
/// the outermost exception that a rule fits counts; there, the rule of the most derived type; for one type, the last one.
/// A predicate that throws counts as false.
/// </remarks>
public class RetryMessageBuilder : RetryPolicyBuilder
{
    private protected RetryMessageBuilder(RetryPointSettings settings)
        : base(settings.Policy) => Settings = settings;

    /// <summary>Gets what the calls have said so far.</summary>
    internal RetryPointSettings Settings { get; }

    /// <summary>How long a message may keep being retried, counted from its first failure.</summary>
    /// <param name="period">Longer than zero. The default is 7 days. An older message is parked as Expired, even when retries remain.</param>
    public void ValidFor(TimeSpan period) => Settings.ValidFor = period;

    /// <summary>An exception that another attempt would not help: parked as Failed, with a Fault.</summary>
    /// <typeparam name="TException">The type of exception.</typeparam>
    /// <param name="predicate">Which of them; all when null.</param>
    public void Fail<TException>(Func<TException, bool>? predicate = null)
        where TException : Exception => Settings.Rules.Add(OutcomeRule.For(Outcome.Fail, predicate));

    /// <summary>An exception that means the work is done, such as "already booked": no retry, no Fault.</summary>
    /// <typeparam name="TException">The type of exception.</typeparam>
    /// <param name="predicate">Which of them; all when null.</param>
    public void Done<TException>(Func<TException, bool>? predicate = null)
        where TException : Exception => Settings.Rules.Add(OutcomeRule.For(Outcome.Ok, predicate));

    /// <summary>An exception that is retried; as soon as there is one such call, whatever no rule names is not.</summary>
    /// <typeparam name="TException">The type of exception.</typeparam>
    /// <param name="predicate">Which of them; all when null.</param>
    public void Handle<TException>(Func<TException, bool>? predicate = null)
        where TException : Exception => Settings.Rules.Add(OutcomeRule.Handle(predicate));

    /// <summary>An exception that is not retried: the same as <see cref="Fail{TException}"/>, by the name that MassTransit gives it.</summary>
    /// <typeparam name="TException">The type of exception.</typeparam>
    /// <param name="predicate">Which of them; all when null.</param>
    public void Ignore<TException>(Func<TException, bool>? predicate = null)
        where TException : Exception => Fail(predicate);

    /// <summary>A policy of its own for an exception. What it leaves open comes from the policy of the point.</summary>
    /// <typeparam name="TException">The type of exception.</typeparam>
    /// <param name="configure">Says the policy.</param>
    public void For<TException>(Action<RetryPolicyBuilder> configure)
        where TException : Exception
    {
        ArgumentNullException.ThrowIfNull(configure);
        var policy = new PolicySettings();
        configure(Over(policy));
        Settings.ExceptionPolicies.Add((typeof(TException), policy));
    }

    /// <summary>An exception that knows when to try again; its answer takes the place of the policy's delay.</summary>
    /// <typeparam name="TException">The type of exception. <see cref="Http.HttpFailureException"/> is known without a call.</typeparam>
    /// <param name="selector">The delay; null where this exception does not know, zero where the policy shall decide after all.</param>
    public void RetryAfter<TException>(Func<TException, TimeSpan?> selector)
        where TException : Exception
    {
        ArgumentNullException.ThrowIfNull(selector);
        Settings.RetryAfter.Add((typeof(TException), exception => selector((TException)exception)));
    }

    /// <summary>Makes a builder for one message type.</summary>
    internal static RetryMessageBuilder ForMessage(RetryPointSettings settings) => new(settings);
}
