using FsCheck;
using FsCheck.Fluent;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Ladder;

public class DelayLadderTests
{
    private const int Steps = 8_639_999;

    private static readonly TimeSpan Unlimited = TimeSpan.MaxValue;

    [Fact]
    public void Any_step_gives_digits_whose_rungs_sum_to_it_and_enters_at_the_first_of_them() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(5_000), Prop.ForAll(Gen.Choose(1, Steps).ToArbitrary(), steps =>
        {
            var delay = DelayLadder.Step * steps;
            var route = DelayLadder.Route(delay, "orders.eu");
            var digits = Digits(route);

            return route.Delay == delay
                && route.RoutingKey.EndsWith(".orders.eu", StringComparison.Ordinal)
                && digits.Zip(DelayLadder.Levels).All(level => level.First >= 0 && level.First <= level.Second.MaxDigit)
                && Sum(digits) == delay
                && route.Exchange == BrokerNames.LevelExchange(DelayLadder.Levels[Array.FindIndex(digits, digit => digit > 0)]);
        }));

    [Theory]
    [InlineData("00:00:00.100", "retry.v1.tenths", "0.0.0.0.0.0.0.1.orders")]
    [InlineData("00:00:01", "retry.v1.s", "0.0.0.0.0.0.1.0.orders")]
    [InlineData("00:00:01.500", "retry.v1.s", "0.0.0.0.0.0.1.5.orders")]
    [InlineData("00:00:30", "retry.v1.10s", "0.0.0.0.0.3.0.0.orders")]
    [InlineData("00:00:59.900", "retry.v1.10s", "0.0.0.0.0.5.9.9.orders")]
    [InlineData("00:01:30", "retry.v1.m", "0.0.0.0.1.3.0.0.orders")]
    [InlineData("02:00:00", "retry.v1.h", "0.0.2.0.0.0.0.0.orders")]
    [InlineData("23:59:59.900", "retry.v1.10h", "0.2.3.5.9.5.9.9.orders")]
    [InlineData("1.00:00:00", "retry.v1.d", "1.0.0.0.0.0.0.0.orders")]
    [InlineData("9.23:59:59.900", "retry.v1.d", "9.2.3.5.9.5.9.9.orders")]
    public void The_key_reads_like_a_clock(string delay, string exchange, string key)
    {
        var wanted = TimeSpan.Parse(delay, System.Globalization.CultureInfo.InvariantCulture);

        DelayLadder.Route(wanted, "orders").ShouldBe(new LadderRoute(exchange, key, wanted));
    }

    [Theory]
    [InlineData(1, 100)]
    [InlineData(999_999, 100)]
    [InlineData(1_000_000, 100)]
    [InlineData(1_000_001, 200)]
    [InlineData(2_740_000, 300)]
    public void An_exact_delay_rounds_up_to_a_tenth_of_a_second(long ticks, int milliseconds)
    {
        var expected = TimeSpan.FromMilliseconds(milliseconds);

        DelayLadder.RoundUp(TimeSpan.FromTicks(ticks)).ShouldBe(expected);
        DelayLadder.Route(TimeSpan.FromTicks(ticks), "orders").Delay.ShouldBe(expected);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    public void Nothing_and_less_goes_straight_to_the_destination(long ticks)
    {
        DelayLadder.Route(TimeSpan.FromTicks(ticks), "orders").ShouldBe(new LadderRoute(BrokerNames.ReturnExchange, "0.0.0.0.0.0.0.0.orders", TimeSpan.Zero));
        DelayLadder.RoundUp(TimeSpan.FromTicks(ticks)).ShouldBe(TimeSpan.Zero);
    }

    [Theory]
    [InlineData("9.23:59:59.901")]
    [InlineData("10.00:00:00")]
    [InlineData("365.00:00:00")]
    [InlineData("10675199.02:48:05.4775807")]
    public void Longer_than_the_ladder_climbs_as_high_as_it_goes(string delay)
    {
        var route = DelayLadder.Route(TimeSpan.Parse(delay, System.Globalization.CultureInfo.InvariantCulture), "orders");

        route.Delay.ShouldBe(DelayLadder.MaxDelay);
        route.RoutingKey.ShouldBe("9.2.3.5.9.5.9.9.orders");
    }

    [Theory]
    [InlineData("00:00:00.010", "00:00:00.100")]
    [InlineData("00:00:07.310", "00:00:07.400")]
    [InlineData("00:00:27.400", "00:00:28")]
    [InlineData("00:00:27", "00:00:27")]
    [InlineData("00:00:59.500", "00:01:00")]
    [InlineData("00:09:58", "00:10:00")]
    [InlineData("00:01:30", "00:01:30")]
    [InlineData("00:58:01", "00:59:00")]
    [InlineData("00:59:59.900", "01:00:00")]
    [InlineData("01:23:45", "01:24:00")]
    [InlineData("23:59:01", "1.00:00:00")]
    [InlineData("9.22:00:00", "9.22:00:00")]
    public void A_drawn_delay_is_rounded_up_to_few_hops(string drawn, string expected) =>
        DelayLadder.RoundUpToFewHops(Parse(drawn), Unlimited).ShouldBe(Parse(expected));

    [Theory]
    [InlineData("00:00:27.400", "00:00:27.500", "00:00:27.500")]
    [InlineData("00:00:27.400", "00:00:28", "00:00:28")]
    [InlineData("00:09:58", "00:09:59.950", "00:09:59.900")]
    [InlineData("00:00:00.050", "00:00:00.050", "00:00:00")]
    [InlineData("00:00:05", "00:00:00", "00:00:00")]
    [InlineData("00:00:05", "-00:00:05", "00:00:00")]
    [InlineData("00:00:00", "00:01:00", "00:00:00")]
    [InlineData("-00:00:01", "00:01:00", "00:00:00")]
    public void Rounding_stops_at_a_cap_or_a_deadline(string drawn, string limit, string expected) =>
        DelayLadder.RoundUpToFewHops(Parse(drawn), Parse(limit)).ShouldBe(Parse(expected));

    [Fact]
    public void A_rounded_delay_is_never_shorter_and_takes_three_hops_at_most() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(5_000), Prop.ForAll(Gen.Choose(1, Steps).ToArbitrary(), steps =>
        {
            var drawn = DelayLadder.Step * steps;
            var rounded = DelayLadder.RoundUpToFewHops(drawn, Unlimited);
            var hops = Digits(DelayLadder.Route(rounded, "orders")).Count(digit => digit > 0);

            return rounded >= drawn && rounded <= drawn * 1.5 && (rounded > DelayLadder.MaxDelay || hops <= (drawn < TimeSpan.FromHours(1) ? 2 : 3));
        }));

    [Fact]
    public void The_ladder_has_57_grades_with_a_name_each() =>
        DelayLadder.Levels.SelectMany(level => Enumerable.Range(1, level.MaxDigit).Select(level.Grade)).Distinct().Count().ShouldBe(57);

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(6)]
    public void A_level_has_no_grade_beyond_its_digits(int digit) =>
        Should.Throw<ArgumentOutOfRangeException>(() => DelayLadder.Levels[5].Grade(digit));

    private static int[] Digits(LadderRoute route) => [.. route.RoutingKey.Split('.').Take(DelayLadder.LevelCount).Select(word => word.Length == 1 ? word[0] - '0' : -1)];

    private static TimeSpan Sum(int[] digits) => digits.Zip(DelayLadder.Levels).Aggregate(TimeSpan.Zero, (sum, level) => sum + level.Second.Delay(level.First));

    private static TimeSpan Parse(string text) => TimeSpan.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
