using Retry.Messaging.Configuration;
using Retry.Messaging.Decisions;
using Retry.Messaging.Outcomes;
using Retry.Messaging.State;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Decisions;

public class CrashSuspicionTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Who_was_returned_up_to_twice_is_consumed(int returns) =>
        Decide(RetryState.Fresh with { Crashes = 4 }, returns).ShouldBeNull();

    [Theory]
    [InlineData(3)]
    [InlineData(int.MaxValue)]
    public void Who_was_returned_more_often_is_kept_away_and_uses_no_attempt(int returns)
    {
        var state = RetryState.Fresh with { Attempt = 4, Error = "the last one" };

        for (var seed = 0; seed < 200; seed++)
        {
            var again = Decide(state, returns, seed).ShouldBeOfType<RetryDecision.Again>();

            again.Delay.ShouldBeInRange(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30));
            again.DueAt.ShouldBe(Now + again.Delay);
            again.State.ShouldBe(state with { Id = "fallback", Crashes = 1, DueAt = again.DueAt });
        }
    }

    [Fact]
    public void The_delay_is_drawn_so_that_neighbours_part() =>
        Enumerable.Range(0, 100).Select(seed => Decide(RetryState.Fresh, 3, seed)).OfType<RetryDecision.Again>().Select(again => again.Delay).Distinct().Count().ShouldBeGreaterThan(15);

    [Fact]
    public void The_fifth_suspicion_in_a_row_parks()
    {
        var state = RetryState.Fresh;
        for (var crash = 1; crash < 5; crash++)
        {
            state = Decide(state, 3).ShouldBeOfType<RetryDecision.Again>().State;
            state.Crashes.ShouldBe(crash);
        }

        var park = Decide(state, 3).ShouldBeOfType<RetryDecision.Park>();
        park.Reason.ShouldBe(ParkReason.Poison);
        park.State.Crashes.ShouldBe(5);
        park.State.Attempt.ShouldBe(1);
        park.State.DueAt.ShouldBeNull();
    }

    [Fact]
    public void An_outcome_ends_the_suspicion()
    {
        var rules = RetryRules.Create(retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(3));
        var failure = new FailedAttempt(new InvalidOperationException(), "host") { FallbackId = "fallback" };

        RetryDecider.Decide(RetryState.Fresh with { Crashes = 4 }, failure, rules, Now, new Random(1))
            .ShouldBeOfType<RetryDecision.Again>().State.Crashes.ShouldBe(0);
    }

    [Fact]
    public void A_forged_number_of_crashes_does_not_overflow() =>
        Decide(RetryState.Fresh with { Crashes = int.MaxValue }, 3).ShouldBeOfType<RetryDecision.Park>().State.Crashes.ShouldBe(int.MaxValue);

    private static RetryDecision? Decide(RetryState state, int returns, int seed = 1) => new CrashSuspicion().Decide(state, returns, "fallback", Now, new Random(seed));
}
