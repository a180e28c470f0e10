using Retry.Messaging.RabbitMq.Counting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Counting;

/// <summary>How long things took, from a microsecond to an hour, to an eighth.</summary>
public sealed class TimeDistributionTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(1000)]
    [InlineData(20_000)]
    [InlineData(3_000_000)]
    [InlineData(3_600_000_000)]
    public void A_time_is_known_to_an_eighth(long microseconds)
    {
        var distribution = new TimeDistribution();
        distribution.Add(TimeSpan.FromMicroseconds(microseconds));

        var found = TimeDistribution.Percentile([distribution.Take(new int[TimeDistribution.Buckets])], 0.5)!.Value;

        found.TotalMicroseconds.ShouldBeInRange(microseconds * 0.875, microseconds * 1.125);
    }

    [Fact]
    public void What_is_out_of_range_is_counted_at_its_end()
    {
        var distribution = new TimeDistribution();
        distribution.Add(TimeSpan.FromSeconds(-5));
        distribution.Add(TimeSpan.MaxValue);

        var pairs = distribution.Take(new int[TimeDistribution.Buckets]);

        pairs.ShouldBe([0, 1, TimeDistribution.Buckets - 1, 1]);
    }

    [Fact]
    public void Percentiles_are_those_of_all_nodes_together()
    {
        var (fast, slow) = (new TimeDistribution(), new TimeDistribution());
        for (var i = 0; i < 90; i++)
        {
            fast.Add(TimeSpan.FromMilliseconds(10));
        }

        for (var i = 0; i < 10; i++)
        {
            slow.Add(TimeSpan.FromSeconds(1));
        }

        IReadOnlyList<int>[] both = [fast.Take(new int[TimeDistribution.Buckets]), slow.Take(new int[TimeDistribution.Buckets])];

        TimeDistribution.Percentile(both, 0.9)!.Value.TotalMilliseconds.ShouldBeInRange(8, 12);
        TimeDistribution.Percentile(both, 0.95)!.Value.TotalMilliseconds.ShouldBeInRange(875, 1125);
        TimeDistribution.Percentile([], 0.5).ShouldBeNull();
        // a stranger's numbers
        TimeDistribution.Percentile([[-1, 5, 9999, 5, 3]], 0.5).ShouldBeNull();
    }

    [Fact]
    public void Each_call_takes_what_came_since_the_last()
    {
        var (distribution, taken) = (new TimeDistribution(), new int[TimeDistribution.Buckets]);
        distribution.Add(TimeSpan.FromMicroseconds(2));
        distribution.Take(taken).ShouldBe([2, 1]);

        distribution.Take(taken).ShouldBeEmpty();
        distribution.Add(TimeSpan.FromMicroseconds(2));
        distribution.Take(taken).ShouldBe([2, 1]);
    }
}
