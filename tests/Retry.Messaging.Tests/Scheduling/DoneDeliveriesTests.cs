using Retry.Messaging.RabbitMq.Scheduling;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Scheduling;

public class DoneDeliveriesTests
{
    private readonly DoneDeliveries _done = new();

    [Fact]
    public void What_is_done_in_one_piece_is_told_by_its_last()
    {
        Add(2, 3, 1);

        ShouldTell(3, []);
        _done.HasMore.ShouldBeFalse();
    }

    [Fact]
    public void What_is_behind_one_that_is_held_is_told_one_by_one_the_next_time()
    {
        Add(1, 3, 4);

        ShouldTell(1, []);
        _done.HasMore.ShouldBeTrue();
        ShouldTell(null, [3, 4]);
        _done.HasMore.ShouldBeFalse();
    }

    [Fact]
    public void What_a_held_one_kept_back_goes_with_it_when_it_is_done_before_the_next_time()
    {
        Add(1, 3, 4);
        _done.Take();
        Add(2);

        ShouldTell(4, []);
    }

    /// <summary>The broker closes the channel for a tag that it was told before.</summary>
    [Fact]
    public void None_is_told_twice()
    {
        Add(2, 3);
        _done.Take();
        ShouldTell(null, [2, 3]);

        Add(1);
        ShouldTell(1, []);
        Add(4);
        ShouldTell(4, []);
    }

    /// <summary>A model of the broker's channel: it knows what it has delivered and was not told.</summary>
    [Fact]
    public void In_whatever_order_they_are_done_the_broker_is_told_each_once()
    {
        const int Count = 2_000;
        var random = new Random(7);
        var unacknowledged = new SortedSet<ulong>(Enumerable.Range(1, Count).Select(tag => (ulong)tag));
        var order = unacknowledged.OrderBy(tag => (int)tag + random.Next(200)).ToArray();
        var done = new HashSet<ulong>();
        foreach (var some in order.Chunk(7))
        {
            Add(some);
            done.UnionWith(some);
            Tell();
        }

        Tell();
        unacknowledged.ShouldBeEmpty();

        void Tell()
        {
            var (upTo, singles) = _done.Take();
            if (upTo is { } last)
            {
                unacknowledged.ShouldContain(last);
                var told = unacknowledged.GetViewBetween(1, last).ToList();
                told.ShouldAllBe(tag => done.Contains(tag));
                unacknowledged.ExceptWith(told);
            }

            foreach (var tag in singles)
            {
                unacknowledged.Remove(tag).ShouldBeTrue();
            }
        }
    }

    private void Add(params ulong[] tags)
    {
        foreach (var tag in tags)
        {
            _done.Add(tag);
        }
    }

    private void ShouldTell(ulong? upTo, ulong[] singles)
    {
        var told = _done.Take();
        told.UpTo.ShouldBe(upTo);
        told.Singles.ShouldBe(singles, ignoreOrder: true);
    }
}
