using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Wire;

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

    /// <summary>The header has whole milliseconds: cut off, 100 ms were 99.94.</summary>
    [Theory]
    [InlineData(0, 100)]
    [InlineData(1, 101)]
    [InlineData(9_999, 101)]
    [InlineData(10_000, 101)]
    public void What_is_written_down_is_never_due_before_its_delay_is_over(int ticksPastTheMillisecond, int dueAfterMs)
    {
        var dueAt = Failed.AddMilliseconds(100).AddTicks(ticksPastTheMillisecond);
        var headers = new Dictionary<string, object?>();

        RetryHeaderWriter.Write(headers, RetryState.Fresh with { DueAt = dueAt }, "orders");

        RetryHeaderReader.Read(headers).DueAt.ShouldBe(Failed.AddMilliseconds(dueAfterMs));
        RetryHeaderReader.Read(headers).DueAt!.Value.ShouldBeGreaterThanOrEqualTo(dueAt);
    }

    [Theory]
    [InlineData(1, 2, 1)]
    [InlineData(3, 2, 3)]
    [InlineData(4, 2, 3)]
    [InlineData(999, 2, 3)]
    [InlineData(999, 0, 1)]
    [InlineData(int.MaxValue, 2, 3)]
    [InlineData(int.MaxValue, null, 1)]
    [InlineData(999, null, 999)]
    public void A_number_that_nothing_bears_out_is_shown_as_that_of_the_last_attempt(int attempt, int? mostRetries, int shown) =>
        (RetryState.Fresh with { Attempt = attempt }).Bounded(mostRetries).Attempt.ShouldBe(shown);

    [Fact]
    public void A_number_that_the_history_bears_out_stays_also_after_the_policy_was_shortened() =>
        (RetryState.Fresh with { Attempt = 6, History = RetryHistory.Empty.With(new RetryAttempt(5, Failed, "host", "type", "boom")) }).Bounded(2).Attempt.ShouldBe(6);

    private static RetryState Delayed() => RetryState.Fresh with
    {
        Attempt = 2,
        DueAt = Failed + Delay,
        History = RetryHistory.Empty.With(new RetryAttempt(1, Failed, "host", "type", "boom")),
    };
}
