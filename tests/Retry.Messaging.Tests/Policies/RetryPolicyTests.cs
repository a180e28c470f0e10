using Retry.Messaging.Policies;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Policies;

public class RetryPolicyTests
{
    private const int Draws = 20_000;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(8, 8)]
    [InlineData(int.MaxValue - 1, int.MaxValue - 1)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void As_many_retries_as_configured_have_a_delay(int maxRetries, int lastRetry)
    {
        var policy = new RetryPolicy(new FixedInterval(Second), maxRetries);

        if (lastRetry > 0)
        {
            policy.NextDelay(lastRetry, null, new Random(1)).ShouldBe(Second);
        }

        if (lastRetry < int.MaxValue)
        {
            policy.NextDelay(lastRetry + 1, null, new Random(1)).ShouldBeNull();
        }
    }

    [Fact]
    public void Without_a_number_retries_never_end()
    {
        var policy = new RetryPolicy(new FixedInterval(Second));

        policy.MaxRetries.ShouldBeNull();
        policy.NextDelay(int.MaxValue, null, new Random(1)).ShouldBe(Second);
    }

    [Theory]
    [InlineData(null, 3)]
    [InlineData(0, 0)]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(8, 3)]
    public void A_sequence_allows_its_length_or_less(int? maxRetries, int expected)
    {
        var policy = new RetryPolicy(new IntervalSequence(Second, Second, Second), maxRetries);

        policy.MaxRetries.ShouldBe(expected);
        policy.NominalDelay(expected + 1).ShouldBeNull();
    }

    [Fact]
    public void Without_jitter_the_delay_is_the_nominal_one()
    {
        var policy = new RetryPolicy(new ExponentialBackoff(Second, 2, 60 * Second), 8);

        policy.NextDelay(3, 50 * Second, new Random(1)).ShouldBe(4 * Second);
        policy.NominalDelay(3).ShouldBe(4 * Second);
    }

    [Fact]
    public void Full_jitter_spreads_evenly_from_its_floor_to_the_delay()
    {
        var drawn = Draw(Jitter.Full, new FixedInterval(10 * Second));

        drawn.Min().ShouldBe(0.1); // one draw in a hundred falls below the floor
        drawn.Max().ShouldBeInRange(9.99, 10);
        drawn.Average().ShouldBe(5, 0.1);
        drawn.Count(delay => delay < 2.5).ShouldBeInRange((int)(Draws * 0.24), (int)(Draws * 0.26));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(99)]
    [InlineData(100)]
    public void Full_jitter_of_a_delay_up_to_its_floor_is_the_delay(int milliseconds) =>
        Draw(Jitter.Full, new FixedInterval(TimeSpan.FromMilliseconds(milliseconds))).ShouldAllBe(delay => delay == milliseconds / 1000.0);

    [Fact]
    public void Equal_jitter_spreads_evenly_over_the_upper_half()
    {
        var drawn = Draw(Jitter.Equal, new FixedInterval(10 * Second));

        drawn.Min().ShouldBeInRange(5, 5.01);
        drawn.Max().ShouldBeInRange(9.99, 10);
        drawn.Average().ShouldBe(7.5, 0.05);
    }

    [Fact]
    public void Decorrelated_jitter_starts_between_the_first_delay_and_three_times_it()
    {
        var drawn = Draw(Jitter.Decorrelated, new ExponentialBackoff(2 * Second, 2, 60 * Second));

        drawn.Min().ShouldBeInRange(2, 2.01);
        drawn.Max().ShouldBeInRange(5.99, 6);
        drawn.Average().ShouldBe(4, 0.05);
    }

    [Fact]
    public void Decorrelated_jitter_follows_the_previous_delay_up_to_the_cap()
    {
        var drawn = Draw(Jitter.Decorrelated, new ExponentialBackoff(2 * Second, 2, 60 * Second), previous: 40 * Second);

        drawn.Min().ShouldBeInRange(2, 2.1);
        drawn.Max().ShouldBe(60);
        drawn.Count(delay => delay == 60).ShouldBeInRange((int)(Draws * 0.49), (int)(Draws * 0.53)); // 60 of 118 seconds lie above the cap
    }

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(long.MaxValue)]
    public void A_previous_delay_that_a_stranger_wrote_is_clamped(long ticks) =>
        Draw(Jitter.Decorrelated, new CustomDelays(_ => 2 * Second), TimeSpan.FromTicks(ticks))
            .ShouldAllBe(delay => delay >= 2 && delay <= DelaySchedule.LongestDelay.TotalSeconds);

    [Theory]
    [InlineData(Jitter.None)]
    [InlineData(Jitter.Full)]
    [InlineData(Jitter.Equal)]
    [InlineData(Jitter.Decorrelated)]
    public void No_jitter_passes_the_cap(Jitter jitter)
    {
        var policy = new RetryPolicy(new ExponentialBackoff(Second, 3, 20 * Second), null, jitter);
        var random = new Random(3);
        TimeSpan? previous = null;
        for (var retry = 1; retry < 1000; retry++)
        {
            previous = policy.NextDelay(retry, previous, random);
            previous.ShouldNotBeNull();
            previous.Value.ShouldBeInRange(TimeSpan.Zero, 20 * Second);
        }
    }

    [Theory]
    [InlineData(Jitter.None)]
    [InlineData(Jitter.Full)]
    [InlineData(Jitter.Equal)]
    [InlineData(Jitter.Decorrelated)]
    public void Immediate_stays_immediate_under_any_jitter(Jitter jitter) =>
        Draw(jitter, new ImmediateRetry()).ShouldAllBe(delay => delay == 0);

    [Theory]
    [InlineData(Jitter.Full)]
    [InlineData(Jitter.Equal)]
    [InlineData(Jitter.Decorrelated)]
    public void The_longest_delay_does_not_overflow(Jitter jitter) =>
        Draw(jitter, new FixedInterval(DelaySchedule.LongestDelay), DelaySchedule.LongestDelay)
            .ShouldAllBe(delay => delay >= 0 && delay <= DelaySchedule.LongestDelay.TotalSeconds);

    [Fact]
    public void The_same_seed_draws_the_same_delays() =>
        Draw(Jitter.Full, new FixedInterval(Second)).ShouldBe(Draw(Jitter.Full, new FixedInterval(Second)));

    [Fact]
    public void A_policy_reads_like_the_configuration()
    {
        new RetryPolicy(new ExponentialBackoff(5 * Second, 3, 3600 * Second), 8, Jitter.Full).ToString()
            .ShouldBe("Exponential(first: 5s, factor: 3, max: 1h).Retries(8).Jitter(Full)");
        new RetryPolicy(new FixedInterval(Second)).ToString().ShouldBe("Fixed(1s).UntilExpired()");
        new RetryPolicy(new IntervalSequence(Second, Second)).ToString().ShouldBe("Intervals(1s, 1s).Retries(2)");
    }

    [Fact]
    public void Wrong_arguments_are_refused_with_found_and_wanted()
    {
        Should.Throw<ArgumentNullException>(() => new RetryPolicy(null!));
        Should.Throw<ArgumentOutOfRangeException>(() => new RetryPolicy(new ImmediateRetry(), -1)).Message.ShouldContain("Found -1 retries, wanted 0 (none) or more");
        Should.Throw<ArgumentOutOfRangeException>(() => new RetryPolicy(new ImmediateRetry(), 1, (Jitter)9)).Message.ShouldContain("Found jitter 9, wanted one of None, Full");
        Should.Throw<ArgumentOutOfRangeException>(() => new RetryPolicy(new ImmediateRetry(), 1).NextDelay(0, null, new Random(1)));
    }

    private static double[] Draw(Jitter jitter, DelaySchedule schedule, TimeSpan? previous = null)
    {
        var policy = new RetryPolicy(schedule, null, jitter);
        var random = new Random(20150304);
        return [.. Enumerable.Range(0, Draws).Select(_ => policy.NextDelay(1, previous, random)!.Value.TotalSeconds)];
    }
}
