using Retry.Messaging.Breaker;
using Retry.Messaging.Configuration;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Breaker;

public class PermitAllowanceTests
{
    private const double Worth = 1.5;

    /// <summary>Whatever the wait between permit and use, and however many are lost: no window has more than the cap allows.</summary>
    [Theory]
    [InlineData(10, 1)]
    [InlineData(10, 5)]
    [InlineData(0.5, 1)]
    [InlineData(200, 20)]
    public void No_window_has_more_starts_than_the_cap_times_its_length_and_the_burst(double perSecond, int burst)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var starts = Run(new Random(seed), perSecond, burst, seconds: 200 / perSecond * 4);
            starts.Count.ShouldBeGreaterThan(50);
            foreach (var window in new[] { 0.1, 1, 10 })
            {
                for (int first = 0, last = 0; last < starts.Count; last++)
                {
                    while (starts[last] - starts[first] > window)
                    {
                        first++;
                    }

                    (last - first + 1).ShouldBeLessThanOrEqualTo((int)Math.Floor((perSecond * (starts[last] - starts[first])) + burst + 1e-6));
                }
            }
        }
    }

    [Fact]
    public void Where_each_is_used_at_once_the_cap_is_reached()
    {
        var allowance = Begin(100, 1);
        var starts = 0;
        // a timer has whole milliseconds
        for (var now = 0.0; now < 10; now += Math.Max(allowance.Next(now), 0.001))
        {
            for (; allowance.Room(now) > 0; starts++)
            {
                allowance.Given(starts, now);
                allowance.Began(starts, now);
            }
        }

        starts.ShouldBeInRange(990, 1001);
    }

    [Fact]
    public void It_begins_with_nothing_since_another_may_have_just_used_all()
    {
        var allowance = Begin(1, 10);

        allowance.Room(0).ShouldBe(0);
        allowance.Next(0).ShouldBe(1);
        allowance.Room(1).ShouldBe(1);
    }

    // permits that wait up to their worth; one in five is never used
    private static List<double> Run(Random random, double perSecond, int burst, double seconds)
    {
        var allowance = Begin(perSecond, burst);
        var used = new PriorityQueue<long, double>();
        var starts = new List<double>();
        var permit = 0L;
        var step = Math.Min(0.01, 0.1 / perSecond);
        for (var now = 0.0; now < seconds; now += step)
        {
            while (used.TryPeek(out var next, out var at) && at <= now)
            {
                used.Dequeue();
                starts.Add(now);

                // the word that it began is lost with one in ten
                if (random.Next(10) > 0)
                {
                    allowance.Began(next, now);
                }
            }

            while (allowance.Room(now) > 0)
            {
                allowance.Given(++permit, now);
                if (random.Next(5) > 0)
                {
                    used.Enqueue(permit, now + (random.Next(3) == 0 ? random.NextDouble() * (Worth - 0.1) : 0));
                }
            }
        }

        return starts;
    }

    private static PermitAllowance Begin(double perSecond, int burst)
    {
        var allowance = new PermitAllowance(Worth);
        allowance.Change(new RedeliveryLimit(perSecond, burst), 0);
        return allowance;
    }
}
