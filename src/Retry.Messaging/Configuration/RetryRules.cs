using System.Collections.Concurrent;
using System.Net;
using Retry.Messaging.Http;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Policies;

namespace Retry.Messaging.Configuration;

/// <summary>All settings of a retry point, merged, checked and ready for decisions. Immutable, and safe for all threads.</summary>
/// <remarks>Each question takes the type of the message; settings for the type itself, else for the most derived type that it fits, stand
/// over those of the point.</remarks>
internal sealed class RetryRules
{
    // who answers so is there, and wants to be called less often
    private static readonly OutcomeRule Slow = OutcomeRule.For<HttpRequestException>(
        Outcome.Fail,
        failure => failure is { StatusCode: HttpStatusCode.TooManyRequests } or HttpFailureException { RetryAfter: not null });

    private readonly MessageRules _point;
    private readonly (Type Type, MessageRules Rules)[] _messages;
    private readonly ConcurrentDictionary<Type, MessageRules> _byType = new();
    private readonly ExceptionMap<OutcomeRule> _notOfTarget;

    private RetryRules(RetryPointSettings settings)
    {
        _point = new MessageRules(settings);
        _messages = [.. settings.MergedMessages().Select(message => (message.MessageType, new MessageRules(message.Settings)))];
        RetryPolicy[] policies = [.. _messages.Select(message => message.Rules).Prepend(_point).SelectMany(rules => rules.Policies)];
        MostRetries = policies.All(policy => policy.MaxRetries is not null) ? policies.Max(policy => policy.MaxRetries) : null;
        AttemptTimeout = settings.AttemptTimeout;
        TenantHeader = settings.Tenant;
        Limit = settings.LimitPerSecond is { } perSecond ? new RedeliveryLimit(perSecond, settings.LimitBurst ?? RetryDefaults.Burst) : null;
        Isolated = settings.Isolated ?? false;
        ReleasableWithin = settings.ReleasableWithin;
        _notOfTarget = new([.. settings.NotOfTarget.Prepend(Slow).Select(rule => (rule.ExceptionType, rule))]);
        Switch = settings.Switch ?? RetrySwitch.On;
        DeliveryLimit = settings.DeliveriesPerSecond is { } deliveries
            ? new RedeliveryLimit(deliveries, settings.DeliveryBurst ?? RetryDefaults.Burst)
            : null;
        Budget = settings.BudgetOver(null);
        BreakerInterval = settings.Breaker == true ? settings.BreakerInterval ?? RetryDefaults.BreakerInterval : null;
    }

    /// <summary>Gets the rules of a point for which nothing is configured: <see cref="RetryDefaults"/>.</summary>
    public static RetryRules Default { get; } = Compile(new RetryPointSettings());

    /// <summary>Gets the policy of the point, for exceptions and messages without one of their own.</summary>
    public RetryPolicy Policy => _point.Policy;

    /// <summary>Gets how long one attempt may take, or null for any time.</summary>
    public TimeSpan? AttemptTimeout { get; }

    /// <summary>Gets the header that says whose message it is, or null.</summary>
    public string? TenantHeader { get; }

    /// <summary>Gets how fast retries may flow back, or null for any rate.</summary>
    public RedeliveryLimit? Limit { get; }

    /// <summary>Gets a value indicating whether a release queue was asked for. A limited point, and one with a budget, has one in any case.</summary>
    public bool Isolated { get; }

    /// <summary>Gets after what time a waiting message comes by, or null for only when it is due.</summary>
    public TimeSpan? ReleasableWithin { get; }

    /// <summary>Gets what an operator has the point do with what fails.</summary>
    public RetrySwitch Switch { get; }

    /// <summary>Gets how fast messages may be consumed, first deliveries included, or null for any rate.</summary>
    public RedeliveryLimit? DeliveryLimit { get; }

    /// <summary>Gets how many retries may flow back for those that succeed, or null for any number.</summary>
    public RetryBudget? Budget { get; }

    /// <summary>Gets how often an ill target is tried while the circuit is open; null where the point has no breaker.</summary>
    public TimeSpan? BreakerInterval { get; }

    /// <summary>Gets a value indicating whether messages that come back wait in the point's release queue until they may be released.</summary>
    internal bool NeedsReleaseQueue => Limit is not null || Budget is not null || Isolated;

    /// <summary>Makes rules from code.</summary>
    /// <param name="configure">Says the settings.</param>
    /// <returns>The rules.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="configure"/> is null.</exception>
    /// <exception cref="RetryConfigurationException">Settings are wrong; it says all that are.</exception>
    public static RetryRules Create(Action<RetryPointBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var builder = new RetryPointBuilder();
        configure(builder);
        return Compile(builder.Settings);
    }

    /// <summary>Returns the policy after an exception.</summary>
    /// <param name="exception">What the consumer threw.</param>
    /// <param name="messageType">The type of the message, or null where it is not known.</param>
    /// <returns>The policy of the outermost exception in the chain that has one, there of the most derived type; else that of the message or point.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="exception"/> is null.</exception>
    public RetryPolicy PolicyFor(Exception exception, Type? messageType = null)
    {
        ArgumentNullException.ThrowIfNull(exception);
        var rules = RulesOf(messageType);
        foreach (var (policy, _) in rules.ExceptionPolicies.Matches(exception))
        {
            return policy;
        }

        return rules.Policy;
    }

    /// <summary>Decides what an exception means.</summary>
    /// <param name="exception">What the consumer threw.</param>
    /// <param name="messageType">The type of the message, or null where it is not known.</param>
    /// <returns>The outcome, as <see cref="OutcomeClassifier"/> has it.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="exception"/> is null.</exception>
    public Outcome Classify(Exception exception, Type? messageType = null) => RulesOf(messageType).Classifier.Classify(exception);

    /// <summary>Asks an exception when to try again.</summary>
    /// <param name="exception">What the consumer threw.</param>
    /// <param name="messageType">The type of the message, or null where it is not known.</param>
    /// <returns>The delay that takes the place of the policy's, longer than zero and at most <see cref="DelaySchedule.LongestDelay"/>; null
    /// where the policy decides.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="exception"/> is null.</exception>
    public TimeSpan? RetryAfter(Exception exception, Type? messageType = null)
    {
        foreach (var (selector, match) in RulesOf(messageType).RetryAfter.Matches(exception))
        {
            if (Ask(selector, match) is { } delay)
            {
                // "Now", or a moment that has passed, says nothing about when it will work: the policy knows better.
                return delay <= TimeSpan.Zero ? null
                    : delay > DelaySchedule.LongestDelay ? DelaySchedule.LongestDelay
                    : delay;
            }
        }

        return null;
    }

    /// <summary>Tells what an attempt that ended in ERROR says of the target that it called.</summary>
    /// <param name="exception">What the consumer threw.</param>
    internal TargetEvidence EvidenceOf(Exception exception)
    {
        foreach (var (rule, match) in _notOfTarget.Matches(exception))
        {
            if (rule.Accepts(match))
            {
                return rule.Outcome == Outcome.Fail ? TargetEvidence.Slow : TargetEvidence.None;
            }
        }

        return TargetEvidence.Ill;
    }

    /// <summary>Returns how long a message may keep being retried.</summary>
    /// <param name="messageType">The type of the message, or null where it is not known.</param>
    /// <returns>The period, counted from the first failure.</returns>
    public TimeSpan ValidForMessage(Type? messageType = null) => RulesOf(messageType).ValidFor;

    /// <summary>Returns the policy and validity period of the point, for logs.</summary>
    /// <returns>For example <c>Fixed(30s).Retries(8), valid for 7d</c>.</returns>
    public override string ToString() => $"{Policy}, valid for {DurationText.Format(_point.ValidFor)}";

    /// <summary>The retries of the policy that allows most; null where one goes on until the message expires.</summary>
    internal int? MostRetries { get; }

    /// <summary>Makes rules from merged settings.</summary>
    /// <param name="settings">The result of <see cref="RetryPointSettings.Merge"/>, or a single layer.</param>
    /// <param name="path">What findings call the settings.</param>
    /// <exception cref="RetryConfigurationException">Settings are wrong; it says all that are.</exception>
    internal static RetryRules Compile(RetryPointSettings settings, string path = "retry")
    {
        ArgumentNullException.ThrowIfNull(settings);
        RetryConfigurationException.ThrowOnErrors(RetrySettingsValidator.Validate(settings, path));
        return new RetryRules(settings);
    }

    /// <summary>Returns the policy of a message, whatever happened to it.</summary>
    /// <param name="messageType">The type of the message, or null where it is not known.</param>
    internal RetryPolicy PolicyForMessage(Type? messageType) => RulesOf(messageType).Policy;

    private static TimeSpan? Ask(Func<Exception, TimeSpan?> selector, Exception exception)
    {
        try
        {
            return selector(exception);
        }
#pragma warning disable CA1031 // any exception of a caller's function: the message is being held, and the policy has an answer
        catch (Exception)
#pragma warning restore CA1031
        {
            return null;
        }
    }

    private MessageRules RulesOf(Type? messageType) =>
        messageType is null || _messages.Length == 0 ? _point : _byType.GetOrAdd(messageType, FindRules);

    private MessageRules FindRules(Type messageType)
    {
        var fitting = _messages.Where(message => message.Type.IsAssignableFrom(messageType)).ToArray();
        return fitting
            .Where(message => !fitting.Any(other => other.Type != message.Type && message.Type.IsAssignableFrom(other.Type)))
            .Select(message => message.Rules)
            .LastOrDefault(_point);
    }

    private sealed class MessageRules
    {
        internal MessageRules(RetryPointSettings settings)
        {
            Policy = settings.Policy.Build();
            ValidFor = settings.ValidFor ?? RetryDefaults.ValidFor;
            Classifier = new OutcomeClassifier(settings.Rules);
            (Type Type, RetryPolicy Policy)[] byException =
            [.. settings.MergedExceptionPolicies().Select(policy => (policy.ExceptionType, policy.Policy.Build()))];
            ExceptionPolicies = new(byException);
            Policies = [Policy, .. byException.Select(policy => policy.Policy)];
            RetryAfter = new(settings.RetryAfter.Prepend((typeof(HttpFailureException), exception => ((HttpFailureException)exception).RetryAfter)));
        }

        internal RetryPolicy Policy { get; }

        internal IReadOnlyList<RetryPolicy> Policies { get; }

        internal TimeSpan ValidFor { get; }

        internal OutcomeClassifier Classifier { get; }

        internal ExceptionMap<RetryPolicy> ExceptionPolicies { get; }

        internal ExceptionMap<Func<Exception, TimeSpan?>> RetryAfter { get; }
    }
}
