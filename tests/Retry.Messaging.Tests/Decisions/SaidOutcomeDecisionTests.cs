using Retry.Messaging.Configuration;
using Retry.Messaging.Decisions;
using Retry.Messaging.Ladder;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Decisions;

/// <summary>What a consumer says is decided on like what it throws, but no rule is asked what it means.</summary>
public sealed class SaidOutcomeDecisionTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly FailedAttempt Ended = new(new InvalidOperationException("said"), "host") { FallbackId = "m-1" };

    [Theory]
    [InlineData(Outcome.Fail)]
    [InlineData(Outcome.Error)]
    public void It_stands_over_every_rule(Outcome said)
    {
        var rules = RetryRules.Create(retry =>
        {
            retry.Fixed(Second).Retries(1);
            retry.Done<InvalidOperationException>();
            retry.Handle<TimeoutException>();
        });

        var decision = Decide(rules, Ended with { Said = said });

        if (said == Outcome.Fail)
        {
            decision.ShouldBeOfType<RetryDecision.Park>().Reason.ShouldBe(ParkReason.Failed);
        }
        else
        {
            decision.ShouldBeOfType<RetryDecision.Again>().Delay.ShouldBe(Second);
        }
    }

    [Fact]
    public void Its_time_replaces_that_of_the_policy_and_grants_no_attempt_more()
    {
        var rules = RetryRules.Create(retry => retry.Fixed(Second).Retries(1));
        var said = Ended with { Said = Outcome.Error, RetryAfter = TimeSpan.FromSeconds(7.25) };

        Decide(rules, said).ShouldBeOfType<RetryDecision.Again>().Delay.ShouldBe(TimeSpan.FromSeconds(7.3));
        Decide(rules, said, RetryState.Fresh with { Attempt = 2 }).ShouldBeOfType<RetryDecision.Park>().Reason.ShouldBe(ParkReason.Exhausted);
        Decide(rules, said with { RetryAfter = TimeSpan.MaxValue }).ShouldBeOfType<RetryDecision.Park>().Reason.ShouldBe(ParkReason.Expired);
    }

    [Fact]
    public void A_postponement_uses_no_attempt_and_leaves_the_history_as_it_was()
    {
        var rules = RetryRules.Create(retry => retry.Fixed(Second).Retries(0));
        var state = RetryState.Fresh;
        for (var time = 0; time < 50; time++)
        {
            state = Postpone(rules, state, Second, Now + time * Second).ShouldBeOfType<RetryDecision.Again>().State;
        }

        state.Attempt.ShouldBe(1);
        state.History.Attempts.ShouldBeEmpty();
        state.FirstFailedAt.ShouldBe(Now);
    }

    [Fact]
    public void Postponements_end_with_the_validity_of_the_message()
    {
        var rules = RetryRules.Create(retry => retry.ValidFor(TimeSpan.FromHours(1)));
        var first = Postpone(rules, RetryState.Fresh, Second, Now).ShouldBeOfType<RetryDecision.Again>();

        Postpone(rules, first.State, Second, Now.AddHours(1)).ShouldBeOfType<RetryDecision.Park>().Reason.ShouldBe(ParkReason.Expired);
    }

    /// <summary>Otherwise a message that a policy sends on early would be postponed again and again, at once.</summary>
    [Fact]
    public void A_postponed_message_knows_that_it_came_early()
    {
        var rules = RetryRules.Create(retry => retry.ValidFor(TimeSpan.FromDays(30)));

        var postponed = Postpone(rules, RetryState.Fresh, TimeSpan.FromDays(20), Now).ShouldBeOfType<RetryDecision.Again>().State;

        postponed.EarlyBy(Now + Second).ShouldBe(TimeSpan.FromDays(20) - Second);
        postponed.EarlyBy(Now + DelayLadder.MaxDelay).ShouldBe(TimeSpan.FromDays(20) - DelayLadder.MaxDelay); // it climbs again for the rest
        postponed.EarlyBy(Now.AddDays(20)).ShouldBe(TimeSpan.Zero);
        postponed.EarlyBy(Now.AddDays(-1)).ShouldBe(TimeSpan.Zero); // another clock
    }

    private static RetryDecision Decide(RetryRules rules, FailedAttempt ended, RetryState? state = null) =>
        RetryDecider.Decide(state ?? RetryState.Fresh, ended, rules, Now, new Random(1));

    private static RetryDecision Postpone(RetryRules rules, RetryState state, TimeSpan delay, DateTimeOffset now) =>
        RetryDecider.Postpone(state, Ended, delay, rules, now);
}
