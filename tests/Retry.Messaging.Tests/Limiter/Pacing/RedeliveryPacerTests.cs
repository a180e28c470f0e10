using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Limiter.Pacing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Limiter.Pacing;

/// <summary>The pace as arithmetic: rates, bursts, waits that end late, successors.</summary>
public sealed class RedeliveryPacerTests
{
    private const double OneAnHour = 1.0 / 3600;

    [Theory]
    [InlineData(OneAnHour, 1, 0)]
    [InlineData(0.5, 1, 0)]
    [InlineData(10, 1, 0)]
    [InlineData(10, 5, 0.3)]
    [InlineData(100, 1, 0.9)]
    [InlineData(15, 1, 4)]
    [InlineData(100, 3, 12)]
    [InlineData(1000, 1, 1.5)]
    [InlineData(1000, 1, 30)]
    [InlineData(1000, 50, 25)]
    [InlineData(3000, 1, 5)]
    [InlineData(20000, 1, 2)]
    public void Every_window_holds_at_most_the_rate_times_its_length_and_the_burst(double rate, int burst, double latestMs)
    {
        var released = Release(rate, burst, count: 3000, latestMs, new Random(7));

        WorstExcess(released, rate, burst).ShouldBeLessThanOrEqualTo(0.001);
    }

    [Theory]
    [InlineData(OneAnHour, 0.999)]
    [InlineData(1, 0.998)]
    [InlineData(10, 0.989)]
    [InlineData(100, 0.989)]
    [InlineData(1000, 0.989)]
    [InlineData(5000, 0.989)]
    public void Costs_what_the_latest_wait_of_a_tenth_of_a_second_costs(double rate, double share)
    {
        var released = Release(rate, burst: 1, count: 2000, latestMs: 0.9, new Random(7));

        var mean = (released.Count - 1) / (released[^1] - released[0]).TotalSeconds;
        mean.ShouldBeInRange(share * rate, rate);
    }

    [Fact]
    public void Gives_a_burst_after_a_pause_and_no_more()
    {
        var clock = Clock();
        var pacer = Pacer(clock, 10, burst: 4);
        clock.Advance(TimeSpan.FromHours(1));

        for (var i = 0; i < 4; i++)
        {
            pacer.Wait().ShouldBe(TimeSpan.Zero);
            pacer.Take(clock.GetTimestamp());
        }

        pacer.Wait().TotalSeconds.ShouldBeInRange(0.094, 0.102);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(1000)]
    public void The_bound_holds_across_takeovers(double rate)
    {
        var clock = Clock();
        var random = new Random(7);
        var released = new List<TimeSpan>();
        for (var instance = 0; instance < 50; instance++)
        {
            var pacer = Pacer(clock, rate, burst: 1);
            pacer.AssumeUsed();
            var ends = released.Count + random.Next(1, 300);
            while (released.Count < ends)
            {
                Release(clock, pacer, released, latestMs: random.Next(20) == 0 ? 6 : 0.3, random);
            }
        }

        WorstExcess(released, rate, burst: 1).ShouldBeLessThanOrEqualTo(0.001);
    }

    [Fact]
    public void A_successor_starts_with_nothing()
    {
        var clock = Clock();
        var pacer = Pacer(clock, 10, burst: 4);
        clock.Advance(TimeSpan.FromHours(1));

        pacer.AssumeUsed();

        pacer.Wait().TotalSeconds.ShouldBeInRange(0.105, 0.107);
    }

    [Fact]
    public void What_lies_ready_in_the_work_queue_counts_as_released()
    {
        var clock = Clock();
        var pacer = Pacer(clock, 10, burst: 1);
        clock.Advance(TimeSpan.FromHours(1));

        pacer.AssumeUsed(ahead: 20);

        pacer.Wait().TotalSeconds.ShouldBeInRange(2.1, 2.15);
    }

    [Fact]
    public void A_higher_rate_does_not_wait_for_the_lower_one()
    {
        var clock = Clock();
        var pacer = Pacer(clock, OneAnHour, burst: 1);

        pacer.Change(new RedeliveryLimit(100, 1));

        pacer.Wait().TotalSeconds.ShouldBeInRange(0, 0.011);
    }

    [Fact]
    public void A_new_burst_is_not_given_away_at_once()
    {
        var clock = Clock();
        var pacer = Pacer(clock, 100, burst: 1);
        clock.Advance(TimeSpan.FromHours(1));

        pacer.Change(new RedeliveryLimit(100, 50));
        pacer.Take(clock.GetTimestamp());

        pacer.Wait().ShouldBeGreaterThan(TimeSpan.Zero);
    }

    [Fact]
    public void Without_a_limit_nothing_waits()
    {
        var clock = Clock();
        var pacer = new RedeliveryPacer(clock);
        pacer.Change(null);
        for (var i = 0; i < 1000; i++)
        {
            pacer.Wait().ShouldBe(TimeSpan.Zero);
            pacer.Take(clock.GetTimestamp());
        }
    }

    // its timestamps are ticks since the year 1: a day after that a double holds each of them, as it does those of a machine
    private static FakeTimeProvider Clock() => new(DateTimeOffset.MinValue.AddDays(1));

    private static RedeliveryPacer Pacer(FakeTimeProvider clock, double rate, int burst)
    {
        var pacer = new RedeliveryPacer(clock);
        pacer.Change(new RedeliveryLimit(rate, burst));
        return pacer;
    }

    private static List<TimeSpan> Release(double rate, int burst, int count, double latestMs, Random random)
    {
        var clock = Clock();
        var pacer = Pacer(clock, rate, burst);
        // a full burst first: the worst that a window can begin with
        clock.Advance(TimeSpan.FromHours(2));
        var released = new List<TimeSpan>();
        while (released.Count < count)
        {
            Release(clock, pacer, released, latestMs, random);
        }

        return released;
    }

    private static void Release(FakeTimeProvider clock, RedeliveryPacer pacer, List<TimeSpan> released, double latestMs, Random random)
    {
        for (var wait = pacer.Wait(); wait > TimeSpan.Zero; wait = pacer.Wait())
        {
            clock.Advance(wait + TimeSpan.FromTicks(1) + TimeSpan.FromMilliseconds(random.NextDouble() * latestMs));
        }

        pacer.Take(clock.GetTimestamp());
        released.Add(clock.GetUtcNow() - clock.Start);
    }

    // every pair of releases is the first and the last of a window
    private static double WorstExcess(List<TimeSpan> released, double rate, int burst)
    {
        var worst = double.NegativeInfinity;
        for (var first = 0; first < released.Count; first++)
        {
            for (var last = first; last < released.Count; last++)
            {
                var window = Math.Max((released[last] - released[first]).TotalSeconds, RedeliveryPacer.ShortestWindow.TotalSeconds);
                worst = Math.Max(worst, last - first + 1 - (rate * window) - burst);
            }
        }

        return worst;
    }
}
