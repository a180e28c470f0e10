using FsCheck;
using FsCheck.Fluent;
using Retry.Messaging.Policies;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Policies;

public class DelayScheduleTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(1, "5s")]
    [InlineData(2, "15s")]
    [InlineData(3, "45s")]
    [InlineData(6, "20m15s")]
    [InlineData(7, "1h")]
    [InlineData(8, "1h")]
    [InlineData(1000, "1h")]
    [InlineData(int.MaxValue - 1, "1h")]
    [InlineData(int.MaxValue, "1h")]
    public void Exponential_delays_are_multiplied_up_to_the_cap(int retry, string expected) =>
        new ExponentialBackoff(5 * Second, 3, Hour).DelayBefore(retry).ShouldBe(DurationText.Parse(expected));

    [Theory]
    [InlineData(1, "1s")]
    [InlineData(2, "1s500ms")]
    [InlineData(3, "2s250ms")]
    [InlineData(4, "3s375ms")]
    public void Exponential_factors_may_have_decimals(int retry, string expected) =>
        new ExponentialBackoff(Second, 1.5, Hour).DelayBefore(retry).ShouldBe(DurationText.Parse(expected));

    [Fact]
    public void Exponential_of_zero_stays_zero_where_the_power_is_infinite() =>
        new ExponentialBackoff(TimeSpan.Zero, 10, Hour).DelayBefore(int.MaxValue).ShouldBe(TimeSpan.Zero);

    [Fact]
    public void A_factor_of_one_is_a_fixed_delay() =>
        new ExponentialBackoff(Second, 1, Hour).DelayBefore(int.MaxValue).ShouldBe(Second);

    [Theory]
    [InlineData(1, "10s")]
    [InlineData(2, "15s")]
    [InlineData(11, "1m")]
    [InlineData(12, "1m2s")]
    [InlineData(int.MaxValue, "1m2s")]
    public void Linear_delays_grow_by_an_amount_up_to_the_cap(int retry, string expected) =>
        new LinearBackoff(10 * Second, 5 * Second, 62 * Second).DelayBefore(retry).ShouldBe(DurationText.Parse(expected));

    [Fact]
    public void Linear_does_not_overflow_with_the_longest_amounts() =>
        new LinearBackoff(Second, DelaySchedule.LongestDelay, DelaySchedule.LongestDelay).DelayBefore(int.MaxValue).ShouldBe(DelaySchedule.LongestDelay);

    [Fact]
    public void Linear_without_an_increment_stays_at_the_first_delay() =>
        new LinearBackoff(Second, TimeSpan.Zero, Hour).DelayBefore(int.MaxValue).ShouldBe(Second);

    [Fact]
    public void A_fixed_interval_never_changes()
    {
        var schedule = new FixedInterval(30 * Second);

        schedule.DelayBefore(1).ShouldBe(30 * Second);
        schedule.DelayBefore(int.MaxValue).ShouldBe(30 * Second);
        schedule.Cap.ShouldBe(30 * Second);
    }

    [Fact]
    public void An_immediate_retry_has_no_delay()
    {
        new ImmediateRetry().DelayBefore(int.MaxValue).ShouldBe(TimeSpan.Zero);
        new ImmediateRetry().Cap.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void A_sequence_ends_after_its_last_interval()
    {
        var schedule = new IntervalSequence(2 * Second, Hour, 8 * Second);

        schedule.DelayBefore(1).ShouldBe(2 * Second);
        schedule.DelayBefore(3).ShouldBe(8 * Second);
        schedule.DelayBefore(4).ShouldBeNull();
        schedule.DelayBefore(int.MaxValue).ShouldBeNull();
        schedule.Count.ShouldBe(3);
        schedule.Cap.ShouldBe(Hour);
    }

    [Fact]
    public void A_repeating_sequence_stays_at_its_last_interval()
    {
        var schedule = new IntervalSequence(2 * Second, 8 * Second).RepeatingLast();

        schedule.DelayBefore(2).ShouldBe(8 * Second);
        schedule.DelayBefore(int.MaxValue).ShouldBe(8 * Second);
        schedule.Count.ShouldBeNull();
    }

    [Fact]
    public void A_sequence_keeps_a_copy_of_what_it_was_given()
    {
        TimeSpan[] given = [Second];
        var schedule = new IntervalSequence(given);

        given[0] = Hour;

        schedule.DelayBefore(1).ShouldBe(Second);
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(364, 364)]
    [InlineData(365, 365)]
    [InlineData(366, 365)]
    [InlineData(10_000, 365)]
    public void Custom_results_are_clamped(int days, int expected) =>
        new CustomDelays(_ => TimeSpan.FromDays(days)).DelayBefore(1).ShouldBe(TimeSpan.FromDays(expected));

    [Fact]
    public void Custom_results_at_the_ends_of_the_type_are_clamped()
    {
        new CustomDelays(_ => TimeSpan.MinValue).DelayBefore(1).ShouldBe(TimeSpan.Zero);
        new CustomDelays(_ => TimeSpan.MaxValue).DelayBefore(1).ShouldBe(DelaySchedule.LongestDelay);
    }

    [Fact]
    public void A_custom_function_that_throws_gives_the_default_delay() =>
        new CustomDelays(_ => throw new InvalidOperationException()).DelayBefore(2).ShouldBe(TimeSpan.FromSeconds(15));

    [Fact]
    public void A_custom_function_gets_the_number_of_the_retry() =>
        new CustomDelays(n => TimeSpan.FromMinutes(n)).DelayBefore(7).ShouldBe(TimeSpan.FromMinutes(7));

    [Fact]
    public void The_first_retry_is_number_one()
    {
        DelaySchedule[] schedules =
        [
            new ExponentialBackoff(Second, 2, Hour),
            new LinearBackoff(Second, Second, Hour),
            new FixedInterval(Second),
            new IntervalSequence(Second),
            new ImmediateRetry(),
            new CustomDelays(_ => Second),
        ];

        schedules.ShouldAllBe(schedule => CountsFromOne(schedule));
    }

    private static bool CountsFromOne(DelaySchedule schedule)
    {
        Should.Throw<ArgumentOutOfRangeException>(() => schedule.DelayBefore(0)).Message.ShouldContain("Found retry 0, wanted 1 or more");
        Should.Throw<ArgumentOutOfRangeException>(() => schedule.DelayBefore(int.MinValue));
        return true;
    }

    public static TheoryData<Action, string> WrongArguments => new()
    {
        { () => _ = new ExponentialBackoff(-Second, 2, Hour), "Found first = -1s, wanted a duration from 0s to 365d." },
        { () => _ = new ExponentialBackoff(Second, 0.999, Hour), "Found factor = 0.999, wanted a finite number of 1 or more" },
        { () => _ = new ExponentialBackoff(Second, -1, Hour), "Found factor = -1" },
        { () => _ = new ExponentialBackoff(Second, double.NaN, Hour), "Found factor = NaN" },
        { () => _ = new ExponentialBackoff(Second, double.PositiveInfinity, Hour), "Found factor = Infinity" },
        { () => _ = new ExponentialBackoff(Hour, 2, Second), "Found max = 1s, wanted at least first = 1h." },
        { () => _ = new ExponentialBackoff(Second, 2, TimeSpan.MaxValue), "Found max = 10675199d" },
        { () => _ = new LinearBackoff(Second, -Second, Hour), "Found increment = -1s" },
        { () => _ = new LinearBackoff(Hour, Second, Second), "Found max = 1s" },
        { () => _ = new FixedInterval(TimeSpan.MinValue), "Found delay = -10675199d" },
        { () => _ = new FixedInterval(TimeSpan.FromDays(365) + TimeSpan.FromTicks(1)), "Found delay = 365d0.0001ms" },
        { () => _ = new IntervalSequence(), "Found no interval, wanted at least one" },
        { () => _ = new IntervalSequence(Second, -Second), "Found intervals[1] = -1s" },
    };

    [Theory]
    [MemberData(nameof(WrongArguments))]
    public void Wrong_arguments_are_refused_with_found_and_wanted(Action make, string message) =>
        Should.Throw<ArgumentOutOfRangeException>(make).Message.ShouldContain(message);

    [Fact]
    public void Schedules_read_like_the_configuration()
    {
        new ExponentialBackoff(5 * Second, 1.5, Hour).ToString().ShouldBe("Exponential(first: 5s, factor: 1.5, max: 1h)");
        new LinearBackoff(Second, 2 * Second, Hour).ToString().ShouldBe("Linear(first: 1s, increment: 2s, max: 1h)");
        new FixedInterval(90 * Second).ToString().ShouldBe("Fixed(1m30s)");
        new IntervalSequence(Second, Hour).ToString().ShouldBe("Intervals(1s, 1h)");
        new IntervalSequence(Second, Hour).RepeatingLast().ToString().ShouldBe("Intervals(1s, 1h, …)");
        new ImmediateRetry().ToString().ShouldBe("Immediate");
        new CustomDelays(_ => Second).ToString().ShouldBe("Custom");
    }

    [Fact]
    public void Growing_delays_never_shrink_and_never_pass_the_cap() =>
        Prop.ForAll<PositiveInt, PositiveInt, PositiveInt>((first, growth, retry) =>
        {
            var start = TimeSpan.FromMilliseconds(first.Get);
            DelaySchedule[] schedules =
            [
                new ExponentialBackoff(start, 1 + (growth.Get / 10.0), start + Hour),
                new LinearBackoff(start, TimeSpan.FromMilliseconds(growth.Get), start + Hour),
            ];
            return schedules.All(schedule =>
                schedule.DelayBefore(1) == start
                && schedule.DelayBefore(retry.Get) <= schedule.DelayBefore(retry.Get + 1)
                && schedule.DelayBefore(retry.Get + 1) <= schedule.Cap);
        }).QuickCheckThrowOnFailure();
}
