using Retry.Messaging.State;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.State;

public class RetryStateTests
{
    private static readonly DateTimeOffset Failed = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(30, 0)]
    [InlineData(31, 0)]
    [InlineData(29, 1)]
    [InlineData(0, 30)]
    [InlineData(3630, 0)]
    [InlineData(-1, 0)]
    [InlineData(-3570, 0)]
    public void Early_is_what_is_left_of_its_own_delay_and_a_clock_an_hour_off_changes_nothing(int secondsAfterFailure, int early) =>
        Delayed().EarlyBy(Failed.AddSeconds(secondsAfterFailure)).ShouldBe(TimeSpan.FromSeconds(early));

    [Fact]
    public void A_message_that_never_failed_is_not_early() => RetryState.Fresh.EarlyBy(Failed).ShouldBe(TimeSpan.Zero);

    [Fact]
    public void Without_a_history_nobody_knows_how_long_the_delay_was() =>
        (Delayed() with { History = RetryHistory.Empty }).EarlyBy(Failed).ShouldBe(TimeSpan.Zero);

    [Fact]
    public void The_previous_delay_is_the_one_that_was_chosen()
    {
        Delayed().PreviousDelay.ShouldBe(Delay);
        (Delayed() with { DueAt = null }).PreviousDelay.ShouldBeNull();
        (Delayed() with { DueAt = Failed.AddSeconds(-1) }).PreviousDelay.ShouldBeNull();
    }

    private static RetryState Delayed() => RetryState.Fresh with
    {
        Attempt = 2,
        DueAt = Failed + Delay,
        History = RetryHistory.Empty.With(new RetryAttempt(1, Failed, "host", "type", "boom")),
    };
}
