using Retry.Messaging.Configuration;
using Retry.Messaging.Decisions;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Decisions;

public class CrashSuspicionTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    public void Whose_process_lives_is_consumed(int crashes) =>
        Decide(RetryState.Fresh with { Crashes = crashes }, died: false).ShouldBeNull();

    [Theory]
    [InlineData(false, 0, false)]
    [InlineData(true, 0, true)]
    [InlineData(false, 9, false)]
    [InlineData(false, 10, true)]
    public void Nearly_no_delivery_is_looked_at(bool cameBack, int crashes, bool concerns) =>
        new CrashSuspicion().Concerns(RetryState.Fresh with { Crashes = crashes }, cameBack).ShouldBe(concerns);

    [Theory]
    [InlineData(0, 1, 2)]
    [InlineData(1, 1, 4)]
    [InlineData(4, 1, 32)]
    [InlineData(5, 1, 60)]
    [InlineData(8, 1, 60)]
    [InlineData(9, 1, 1)]
    public void Who_came_back_from_a_dead_process_is_kept_away_longer_each_time_and_uses_no_attempt(int crashes, int shortest, int longest)
    {
        var state = RetryState.Fresh with { Attempt = 4, Error = "the last one", Crashes = crashes };

        for (var seed = 0; seed < 200; seed++)
        {
            var again = Decide(state, died: true, seed).ShouldBeOfType<RetryDecision.Again>();

            again.Delay.ShouldBeInRange(TimeSpan.FromSeconds(shortest), TimeSpan.FromSeconds(longest));
            again.DueAt.ShouldBe(Now + again.Delay);
            again.State.ShouldBe(state with { Id = "fallback", Crashes = crashes + 1, DueAt = again.DueAt });
        }
    }

    [Fact]
    public void The_delay_is_drawn_so_that_neighbours_part() =>
        Enumerable.Range(0, 100).Select(seed => Decide(RetryState.Fresh with { Crashes = 4 }, died: true, seed)).OfType<RetryDecision.Again>().Select(again => again.Delay).Distinct().Count().ShouldBeGreaterThan(15);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_was_there_at_the_tenth_death_in_a_row_is_parked_when_it_comes_again(bool died)
    {
        var state = RetryState.Fresh;
        for (var crash = 1; crash <= 10; crash++)
        {
            state = Decide(state, died: true).ShouldBeOfType<RetryDecision.Again>().State;
            state.Crashes.ShouldBe(crash);
        }

        var park = Decide(state, died).ShouldBeOfType<RetryDecision.Park>();
        park.Reason.ShouldBe(ParkReason.Poison);
        park.State.Crashes.ShouldBe(10);
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
        Decide(RetryState.Fresh with { Crashes = int.MaxValue }, died: true).ShouldBeOfType<RetryDecision.Park>().State.Crashes.ShouldBe(int.MaxValue);

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(9, true)]
    public void A_suspicion_is_worth_a_warning_from_the_third_death_on(int deaths, bool isWarning) =>
        CrashSuspicion.IsWorthAWarning(deaths).ShouldBe(isWarning);

    private static RetryDecision? Decide(RetryState state, bool died, int seed = 1) => new CrashSuspicion().Decide(state, died, static () => "fallback", Now, new Random(seed));
}
