using Retry.Messaging.Policies;

namespace Retry.Messaging.Configuration;

/// <summary>One layer's say about a policy. Null means that the layer says nothing.</summary>
internal sealed record PolicySettings
{
    internal PolicyKind? Kind { get; set; }

    internal TimeSpan? First { get; set; }

    internal double? Factor { get; set; }

    internal TimeSpan? Increment { get; set; }

    internal TimeSpan? Delay { get; set; }

    internal IReadOnlyList<TimeSpan>? Intervals { get; set; }

    internal TimeSpan? Max { get; set; }

    internal Func<int, TimeSpan>? Custom { get; set; }

    /// <summary>The n of <c>Immediate(n)</c>: it belongs to that kind and must not become the count of another one.</summary>
    internal int? ImmediateRetries { get; set; }

    internal RetryCount? Retries { get; set; }

    internal Jitter? Jitter { get; set; }

    internal PolicyKind EffectiveKind => Kind ?? RetryDefaults.Policy;

    internal Jitter EffectiveJitter => Jitter ?? RetryDefaults.JitterOf(EffectiveKind);

    internal TimeSpan EffectiveFirst => First ?? RetryDefaults.First;

    /// <summary>A first delay above the default cap, alone, is no contradiction: the cap gives way.</summary>
    internal TimeSpan EffectiveMax => Max ?? (EffectiveFirst > RetryDefaults.Max ? EffectiveFirst : RetryDefaults.Max);

    /// <summary>The retries allowed; null: until the message expires.</summary>
    internal int? EffectiveRetries => Retries is { } said ? said.Value : OwnRetries ?? RetryDefaults.Retries;

    /// <summary>The retries that the kind itself brings: Immediate(n), or one for each interval.</summary>
    private int? OwnRetries => ImmediateRetries ?? Intervals?.Count;

    /// <summary>Merges layers, each setting from the highest that has it. The rules are those of <see cref="RetryPointSettings.Merge"/>.</summary>
    internal static PolicySettings Merge(IEnumerable<PolicySettings> highestFirst) =>
        highestFirst.Reverse().Aggregate(new PolicySettings(), (lower, higher) => higher.Over(lower));

    /// <summary>Names a kind; what an earlier call said about another kind is forgotten.</summary>
    internal void Become(PolicyKind kind)
    {
        if (Kind != kind)
        {
            First = Delay = Increment = Max = null;
            Factor = null;
            Intervals = null;
            Custom = null;
            ImmediateRetries = null;
        }

        Kind = kind;
    }

    /// <summary>Makes the policy, with defaults where no layer said anything. The settings must have been validated.</summary>
    internal RetryPolicy Build() => new(BuildSchedule(), EffectiveRetries, EffectiveJitter);

    private PolicySettings Over(PolicySettings lower)
    {
        var sameKind = Kind is null || Kind == lower.EffectiveKind;
        var parameters = sameKind ? lower : new PolicySettings();
        return new PolicySettings
        {
            Kind = Kind ?? lower.Kind,
            First = First ?? parameters.First,
            Factor = Factor ?? parameters.Factor,
            Increment = Increment ?? parameters.Increment,
            Delay = Delay ?? parameters.Delay,
            Intervals = Intervals ?? parameters.Intervals,
            Max = Max ?? parameters.Max,
            Custom = Custom ?? parameters.Custom,
            ImmediateRetries = ImmediateRetries ?? parameters.ImmediateRetries,

            // Three intervals mean three retries, whatever number a lower layer gave to its own policy.
            Retries = Retries ?? (OwnRetries is null ? lower.Retries : null),
            Jitter = Jitter ?? lower.Jitter,
        };
    }

    private DelaySchedule BuildSchedule() => EffectiveKind switch
    {
        PolicyKind.Linear => new LinearBackoff(EffectiveFirst, Increment ?? RetryDefaults.Increment, EffectiveMax),
        PolicyKind.Fixed => new FixedInterval(Delay ?? RetryDefaults.Delay),
        PolicyKind.Intervals => BuildIntervals(Intervals ?? []),
        PolicyKind.Immediate => new ImmediateRetry(),
        PolicyKind.Custom => new CustomDelays(Custom!),
        _ => new ExponentialBackoff(EffectiveFirst, Factor ?? RetryDefaults.Factor, EffectiveMax),
    };

    private IntervalSequence BuildIntervals(IReadOnlyList<TimeSpan> intervals)
    {
        var sequence = new IntervalSequence([.. intervals]);
        return EffectiveRetries is { } retries && retries <= intervals.Count ? sequence : sequence.RepeatingLast();
    }
}
