using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Configuration;

public class DurationTextTests
{
    [Theory]
    [InlineData("0s", 0)]
    [InlineData("0ms", 0)]
    [InlineData("1ms", 1)]
    [InlineData("100ms", 100)]
    [InlineData("0.5s", 500)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("30s", 30_000)]
    [InlineData("90s", 90_000)]
    [InlineData("1m30s", 90_000)]
    [InlineData("1m0s", 60_000)]
    [InlineData("2h", 7_200_000)]
    [InlineData("1d", 86_400_000)]
    [InlineData("1d2h3m4s5ms", 93_784_005)]
    public void Durations_are_read(string text, long milliseconds) =>
        DurationText.Parse(text).ShouldBe(TimeSpan.FromMilliseconds(milliseconds));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("+5s")]
    [InlineData("5S")]
    [InlineData("5 s")]
    [InlineData(" 5s")]
    [InlineData("5sec")]
    [InlineData("5µs")]
    [InlineData("٥s")]
    [InlineData("30s1m")]
    [InlineData("1s1s")]
    [InlineData(".5s")]
    [InlineData("5.s")]
    [InlineData("1.2.3s")]
    [InlineData("1,5s")]
    [InlineData("1e3s")]
    [InlineData("00:00:05")]
    [InlineData("10675200d")]
    [InlineData("10675199d2h48m5s477.5808ms")]
    [InlineData("99999999999999999999d")]
    [InlineData("999999999999999999999999999999999999s")]
    public void Anything_else_is_refused(string text)
    {
        DurationText.TryParse(text, out var duration).ShouldBeFalse();
        duration.ShouldBe(TimeSpan.Zero);
        Should.Throw<FormatException>(() => DurationText.Parse(text)).Message.ShouldStartWith($"Found '{text}', wanted a duration such as");
    }

    [Fact]
    public void Null_is_refused()
    {
        DurationText.TryParse(null, out _).ShouldBeFalse();
        Should.Throw<ArgumentNullException>(() => DurationText.Parse(null!));
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(1, "0.0001ms")]
    [InlineData(TimeSpan.TicksPerMillisecond * 100, "100ms")]
    [InlineData(TimeSpan.TicksPerMillisecond * 1500, "1s500ms")]
    [InlineData(TimeSpan.TicksPerSecond * 60, "1m")]
    [InlineData(TimeSpan.TicksPerSecond * 90, "1m30s")]
    [InlineData(TimeSpan.TicksPerDay * 9, "9d")]
    [InlineData(-TimeSpan.TicksPerSecond * 90, "-1m30s")]
    [InlineData(long.MaxValue, "10675199d2h48m5s477.5807ms")]
    [InlineData(long.MinValue, "-10675199d2h48m5s477.5808ms")]
    public void Durations_are_written(long ticks, string expected) => DurationText.Format(TimeSpan.FromTicks(ticks)).ShouldBe(expected);

    [Fact]
    public void The_longest_duration_comes_back() => DurationText.Parse(DurationText.Format(TimeSpan.MaxValue)).ShouldBe(TimeSpan.MaxValue);

    [Fact]
    public void Any_duration_comes_back() =>
        Prop.ForAll<NonNegativeInt, NonNegativeInt>((high, low) =>
        {
            var duration = TimeSpan.FromTicks(((long)high.Get * 1_000_000_007) + low.Get);
            return DurationText.Parse(DurationText.Format(duration)) == duration;
        }).QuickCheckThrowOnFailure();
}
