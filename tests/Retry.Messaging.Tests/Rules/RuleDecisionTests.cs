using Retry.Messaging.Breaker;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.Operations.Rules;
using Retry.Messaging.RabbitMq.Circuit;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Rules;

/// <summary>When a rule replays, on virtual time: what it says, and never more often.</summary>
public class RuleDecisionTests
{
    private const string Point = "payments";
    private static readonly DateTimeOffset Noon = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);
    private static readonly RuleFacts Nothing = new() { Plans = new PlanBook(Point) };

    [Fact]
    public void A_slot_is_claimed_once_it_has_come_and_not_again()
    {
        var rule = Nightly();

        Step(rule, Nothing, At(2, 59, 59)).ShouldBeNull();
        var claimed = Step(rule, Nothing, At(3, 0, 0)).ShouldNotBeNull().Write.ShouldNotBeNull();
        claimed.Runs.ShouldHaveSingleItem().ShouldBe(new RuleRun(claimed.Runs[0].Plan, At(3, 0, 0)) { State = RuleRunState.Claimed, By = "me", At = At(3, 0, 0) });

        var done = claimed.WithLast(claimed.Runs[0] with { State = RuleRunState.Done });
        for (var now = At(3, 0, 0); now < At(27, 0, 0); now += TimeSpan.FromMinutes(1))
        {
            Step(done, Nothing, now).ShouldBeNull($"{now:O}");
        }

        Step(done, Nothing, At(27, 0, 0)).ShouldNotBeNull();
    }

    [Fact]
    public void A_service_that_comes_back_late_begins_a_slot_within_ten_minutes_and_passes_over_older_ones()
    {
        Step(Nightly(), Nothing, At(3, 9, 59)).ShouldNotBeNull().Write!.Runs[0].For.ShouldBe(At(3, 0, 0));
        Step(Nightly(), Nothing, At(3, 10, 1)).ShouldBeNull();

        // of several that have come one is begun, the last
        var often = Nightly() with { Trigger = new RuleTrigger { Cron = "* * * * *" } };
        Step(often, Nothing, At(5, 0, 30)).ShouldNotBeNull().Write!.Runs.ShouldHaveSingleItem().For.ShouldBe(At(5, 0, 0));
    }

    [Fact]
    public void Two_services_that_claim_the_same_slot_have_the_same_plan_in_mind()
    {
        var one = RuleDecision.Of(Nightly(), Nothing, "one", At(3, 0, 1))!.Write!;
        var other = RuleDecision.Of(Nightly(), Nothing, "other", At(3, 0, 2))!.Write!;
        one.Runs[0].Plan.ShouldBe(other.Runs[0].Plan);

        RuleDecision.Of(Nightly() with { Id = "another" }, Nothing, "one", At(3, 0, 1))!.Write!.Runs[0].Plan.ShouldNotBe(one.Runs[0].Plan);
    }

    [Fact]
    public void A_claim_becomes_a_plan_whoever_made_it()
    {
        var claimed = Claimed();

        RuleDecision.Of(claimed, Nothing, "a successor", At(3, 0, 5)).ShouldBe(new RuleStep(null, claimed.Runs[0]));

        // the one before made the plan, and died before it could say so
        var made = Nothing with { Plans = new PlanBook(Point) { Open = PlanOf(claimed, PlanState.Stopped) } };
        var begun = Step(claimed, made, At(3, 0, 5)).ShouldNotBeNull();
        begun.Begin.ShouldBeNull();
        begun.Write!.Runs[0].State.ShouldBe(RuleRunState.Begun);
        Step(begun.Write, made, At(5, 0, 0)).ShouldBeNull();

        // and it has ended meanwhile
        var ended = Nothing with { Plans = new PlanBook(Point) { Ended = [PlanOf(claimed, PlanState.Done) with { Moved = 7 }] } };
        var done = Step(claimed, ended, At(3, 0, 5)).ShouldNotBeNull();
        done.Begin.ShouldBeNull();
        done.Write!.Runs[0].ShouldSatisfyAllConditions(run => run.State.ShouldBe(RuleRunState.Done), run => run.Moved.ShouldBe(7), run => run.Count.ShouldBe(9));
    }

    [Fact]
    public void While_a_plan_of_its_own_or_of_others_is_open_no_run_is_begun()
    {
        var others = Nothing with { Plans = new PlanBook(Point) { Open = new Plan("other", new PlanTerms(PlanAction.Discard), Point, "anna", Noon) } };
        Step(Nightly(), others, At(3, 0, 0)).ShouldBeNull();
        Step(Claimed(), others, At(3, 0, 1)).ShouldBeNull();

        var often = Claimed() with { Trigger = new RuleTrigger { Cron = "* * * * *" } };
        var own = Nothing with { Plans = new PlanBook(Point) { Open = PlanOf(often, PlanState.Running) } };
        var begun = Step(often, own, At(3, 1, 0))!.Write!;
        Step(begun, own, At(3, 5, 0)).ShouldBeNull();

        // the slots in between have passed; the last of them is begun
        var ended = Nothing with { Plans = new PlanBook(Point) { Ended = [PlanOf(often, PlanState.Done)] } };
        var over = Step(begun, ended, At(3, 5, 30))!.Write!;
        var next = Step(over, ended, At(3, 5, 30))!.Write!;
        next.Runs.Select(run => run.For).ShouldBe([At(3, 5, 0), At(3, 0, 0)]);
        Step(next.WithLast(next.Runs[0] with { State = RuleRunState.Nothing }), ended, At(3, 5, 59)).ShouldBeNull();
    }

    [Fact]
    public void A_claim_is_given_up_when_it_is_old_or_the_rule_rests()
    {
        var (anna, claimed) = (new RuleWord("anna", Noon, null), Claimed());

        WhyOf(claimed, At(3, 10, 1)).ShouldBe("it could not begin for 10 minutes");
        WhyOf(claimed with { Paused = anna }, At(3, 0, 1)).ShouldBe("anna paused the rule");
        WhyOf(claimed with { Removed = anna }, At(3, 0, 1)).ShouldBe("anna removed the rule");

        static string? WhyOf(Rule rule, DateTimeOffset now)
        {
            var run = Step(rule, Nothing, now)!.Write!.Runs[0];
            run.State.ShouldBe(RuleRunState.GivenUp);
            return run.Why;
        }
    }

    [Fact]
    public void A_rule_that_rests_claims_nothing_and_what_came_due_in_a_pause_is_not_made_up_for()
    {
        var anna = new RuleWord("anna", Noon, null);
        Step(Nightly() with { Paused = anna }, Nothing, At(3, 0, 0)).ShouldBeNull();
        Step(Nightly() with { Removed = anna }, Nothing, At(3, 0, 0)).ShouldBeNull();

        var resumed = Nightly() with { Since = At(3, 0, 1) };
        Step(resumed, Nothing, At(3, 0, 2)).ShouldBeNull();
        RuleDecision.Next(resumed, At(3, 0, 2)).ShouldBe(At(27, 0, 0));
        RuleDecision.Next(resumed with { Paused = anna }, At(3, 0, 2)).ShouldBeNull();
    }

    [Fact]
    public void A_circuit_that_has_been_closed_for_long_enough_is_one_run_for_each_time_that_it_was_open()
    {
        var rule = Nightly() with { Trigger = new RuleTrigger { ClosedFor = TimeSpan.FromMinutes(5) } };
        var circuit = new CircuitDocument(Point, CircuitState.Closed) { At = At(4, 0, 0), LastOpening = At(3, 30, 0) };

        Step(rule, Of(null), At(5, 0, 0)).ShouldBeNull();
        Step(rule, Of(circuit with { LastOpening = null }), At(5, 0, 0)).ShouldBeNull("it was never open");
        Step(rule, Of(circuit with { State = CircuitState.Open, LastOpening = null, OpenSince = At(3, 30, 0) }), At(5, 0, 0)).ShouldBeNull();
        Step(rule, Of(circuit with { Hand = CircuitHand.Closed }), At(5, 0, 0)).ShouldBeNull("an operator keeps it closed");
        Step(rule, Of(circuit), At(4, 4, 59)).ShouldBeNull();
        Step(rule with { Since = At(4, 5, 0) }, Of(circuit), At(6, 0, 0)).ShouldBeNull("it came due before the rule was set");

        var claimed = Step(rule, Of(circuit), At(4, 5, 0))!.Write!;
        var done = claimed.WithLast(claimed.Runs[0] with { State = RuleRunState.Done });
        Step(done, Of(circuit), At(20, 0, 0)).ShouldBeNull();
        // somebody said 'auto' once more, which is no opening
        Step(done, Of(circuit with { At = At(6, 0, 0), Version = 9 }), At(20, 0, 0)).ShouldBeNull();
        Step(done, Of(circuit with { At = At(8, 0, 0), LastOpening = At(7, 0, 0) }), At(8, 5, 0)).ShouldNotBeNull().Write!.Runs.Count.ShouldBe(2);

        // what was claimed and not begun waits for no target that is ill again
        var reopened = Of(circuit with { State = CircuitState.Open, LastOpening = null, OpenSince = At(4, 5, 1) });
        Step(claimed, reopened, At(4, 5, 2))!.Write!.Runs[0].Why.ShouldBe("the circuit was open again");

        static RuleFacts Of(CircuitDocument? circuit) => Nothing with { Circuit = circuit };
    }

    [Fact]
    public void A_build_that_all_instances_have_had_for_a_while_is_one_run_ever()
    {
        var rule = Nightly() with { Trigger = new RuleTrigger { Build = "2.4.1" } };
        var seen = Nothing with { BuildSince = At(3, 0, 0) };

        Step(rule, Nothing, At(4, 0, 0)).ShouldBeNull();
        Step(rule, seen, At(3, 0, 14)).ShouldBeNull();
        var claimed = Step(rule, seen, At(3, 0, 15))!.Write!;
        var done = claimed.WithLast(claimed.Runs[0] with { State = RuleRunState.Done });
        Step(done, Nothing with { BuildSince = At(9, 0, 0) }, At(10, 0, 0)).ShouldBeNull("an older build was there in between");
    }

    [Fact]
    public void A_plan_that_is_no_longer_known_is_no_reason_to_make_it_again()
    {
        var claimed = Claimed();
        var begun = claimed.WithLast(claimed.Runs[0] with { State = RuleRunState.Begun, Count = 9 });
        var step = Step(begun, Nothing, At(3, 5, 0))!;
        step.Begin.ShouldBeNull();
        step.Write!.Runs[0].State.ShouldBe(RuleRunState.Unknown);
    }

    private static Rule Nightly() => new(Point, "nightly") { Id = "1", Trigger = new RuleTrigger { Cron = "0 3 * * *" }, Set = new RuleWord("anna", Noon, null), Since = Noon };

    private static Rule Claimed() => Step(Nightly(), Nothing, At(3, 0, 0))!.Write!;

    private static Plan PlanOf(Rule rule, PlanState state) => new(rule.Runs[0].Plan, new PlanTerms(PlanAction.Replay), Point, "rule nightly", Noon) { State = state, Count = 9 };

    private static RuleStep? Step(Rule rule, RuleFacts facts, DateTimeOffset now) => RuleDecision.Of(rule, facts, "me", now);

    // hours, minutes and seconds of the first of December; 27 is three o'clock of the second
    private static DateTimeOffset At(int hour, int minute, int second) => new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero) + new TimeSpan(hour, minute, second);
}
