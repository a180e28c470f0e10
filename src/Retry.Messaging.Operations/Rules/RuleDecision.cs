using Retry.Messaging.Breaker;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Circuit;

namespace Retry.Messaging.Operations.Rules;

/// <summary>Decides what is to be done about a rule. Pure.</summary>
/// <remarks>
/// <list type="number">
/// <item>What comes due is claimed: a run is written into the rule's document. Of several who do so one counts.</item>
/// <item>Then its plan is made, whose id follows from the claim. Whoever follows a service that died in between makes the same plan,
/// and one that was made already is not made again.</item>
/// <item>A plan that is made is carried out like any other. Until it has ended the rule begins no other run; slots in between pass.</item>
/// <item>A run begins within ten minutes of its slot or claim, or not at all.</item>
/// </list>
/// </remarks>
internal static class RuleDecision
{
    /// <summary>How late a slot may be begun, and a claim become a plan.</summary>
    public static readonly TimeSpan LatestStart = TimeSpan.FromMinutes(10);

    /// <summary>For how long all instances must have been of the build: one that has lost its connection for a moment may be of another.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromSeconds(15);

    /// <summary>Decides.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="facts">What else is known.</param>
    /// <param name="by">Who asks, and claims.</param>
    /// <param name="now">The current time.</param>
    /// <returns>The next step; <see langword="null"/> for none.</returns>
    /// <exception cref="FormatException">The rule's times cannot be read here.</exception>
    public static RuleStep? Of(Rule rule, RuleFacts facts, string by, DateTimeOffset now)
    {
        if (rule.Unfinished is { } run)
        {
            return GoOn(rule, run, facts, now);
        }

        if (rule is { Removed: not null } or { Paused: not null } || facts.Plans.Open is not null || Due(rule, facts, now) is not var (occasion, due))
        {
            return null;
        }

        // of one occasion there is one run, whatever became of it
        return rule.Runs.Any(earlier => earlier.Plan == rule.PlanOf(occasion))
            ? null
            : new(rule.With(new RuleRun(rule.PlanOf(occasion), due) { State = RuleRunState.Claimed, By = by, At = now }), null);
    }

    /// <summary>When the next slot is; <see langword="null"/> where the rule does not go by time, or rests.</summary>
    public static DateTimeOffset? Next(Rule rule, DateTimeOffset now) =>
        rule is { Paused: null, Removed: null } ? rule.Trigger.Slots()?.After(now) : null;

    private static RuleStep? GoOn(Rule rule, RuleRun run, RuleFacts facts, DateTimeOffset now)
    {
        var plan = facts.Plans.Plans.FirstOrDefault(plan => plan.Id == run.Plan);
        if (plan is { IsOver: true })
        {
            var state = plan.State == PlanState.Done ? RuleRunState.Done : RuleRunState.Cancelled;
            return Write(run with { State = state, Count = plan.Count, Moved = plan.Moved, EndedAt = plan.RunAt });
        }

        if (run.State == RuleRunState.Begun)
        {
            return plan is null ? Write(run with { State = RuleRunState.Unknown, EndedAt = now }) : null;
        }

        if (plan is { State: not PlanState.Preparing })
        {
            return Write(run with { State = RuleRunState.Begun, Count = plan.Count });
        }

        if (WhyNot(rule, run, facts, now) is { } why)
        {
            return Write(run with { State = RuleRunState.GivenUp, EndedAt = now, Why = why });
        }

        return facts.Plans.Open is null || plan is not null ? new(null, run) : null;

        RuleStep Write(RuleRun changed) => new(rule.WithLast(changed), null);
    }

    private static string? WhyNot(Rule rule, RuleRun run, RuleFacts facts, DateTimeOffset now) =>
        rule.Removed is { } removed ? $"{removed.By} removed the rule"
        : rule.Paused is { } paused ? $"{paused.By} paused the rule"
        : now - run.At > LatestStart ? $"it could not begin for {LatestStart.TotalMinutes:0} minutes"
        : rule.Trigger.ClosedFor is not null && ClosingOf(facts.Circuit)?.LastOpening != run.For ? "the circuit was open again"
        : null;

    private static (string Occasion, DateTimeOffset Due)? Due(Rule rule, RuleFacts facts, DateTimeOffset now) => rule.Trigger switch
    {
        { Cron: not null } => DueSlot(rule, now),
        { ClosedFor: { } time } => ClosingOf(facts.Circuit) is { LastOpening: { } opening } circuit && circuit.At + time is var due && due > rule.Since && due <= now
            ? ($"opening:{opening.UtcTicks}", opening)
            : null,
        { Build: { } build } => facts.BuildSince is { } since && now - since >= Settling ? ($"build:{build}", since) : null,
        _ => null,
    };

    private static (string, DateTimeOffset)? DueSlot(Rule rule, DateTimeOffset now)
    {
        var decided = rule.Runs.Select(run => run.For).Append(rule.Since).Append(now - LatestStart).Max();
        return decided < now && rule.Trigger.Slots()!.UpTo(now, decided) is { } slot ? ($"slot:{slot.UtcTicks}", slot) : null;
    }

    // an operator who closes a circuit says nothing about its target
    private static CircuitDocument? ClosingOf(CircuitDocument? circuit) => circuit is { State: CircuitState.Closed, Hand: CircuitHand.Auto } ? circuit : null;
}
