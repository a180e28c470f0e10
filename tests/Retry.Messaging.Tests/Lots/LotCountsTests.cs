using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq.Lots;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Lots;

/// <summary>Who reads a lot hears of what is passed by in bulk, and always of the last.</summary>
public sealed class LotCountsTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void What_is_passed_by_is_told_in_bulk_and_after_a_while_and_at_the_end()
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        var counts = new LotCounts(total: 2000, _time);
        counts.PassBy().ShouldBeTrue("the first");
        Enumerable.Range(0, 498).Count(_ => counts.PassBy()).ShouldBe(0);
        counts.PassBy().ShouldBeTrue("five hundred");

        counts.PassBy().ShouldBeFalse();
        _time.Advance(TimeSpan.FromMilliseconds(100));
        counts.PassBy().ShouldBeTrue("a tenth of a second later");
        counts.PassBy().ShouldBeFalse();

        for (var i = 0; i < 1495; i++)
        {
            counts.Read(default);
        }

        counts.PassBy().ShouldBeFalse("one is missing");
        counts.PassBy().ShouldBeTrue("the last");
        (counts.Examined, counts.Held).ShouldBe((2000, 505));
    }

    [Fact]
    public void What_was_delivered_and_not_acknowledged_is_unsettled()
    {
        var counts = new LotCounts(total: 3, _time);
        counts.Deliver(bodyBytes: 10).ShouldBeTrue();
        counts.Deliver(bodyBytes: 30).ShouldBeTrue();
        counts.Acknowledge();
        (counts.Unsettled, counts.BodyBytes).ShouldBe((1, 20));
    }

    [Fact]
    public void What_comes_behind_as_many_as_were_ready_does_not_count()
    {
        var counts = new LotCounts(total: 1, _time);
        counts.Deliver(bodyBytes: 1).ShouldBeTrue();
        counts.Deliver(bodyBytes: 1).ShouldBeFalse();
        counts.Read(new LotDelivery { ComesLate = true });
        counts.Examined.ShouldBe(0);
        counts.Read(default);
        counts.Examined.ShouldBe(1);
    }

    [Fact]
    public void A_set_that_is_not_met_is_waited_for_a_second_longer()
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        var set = new LotSet([1UL]);
        set.BeginReading();
        var counts = new LotCounts(total: 1, _time);
        counts.IsOver(set: null).ShouldBeFalse();
        counts.PassBy();
        counts.IsOver(set: null).ShouldBeTrue();

        counts.IsOver(set).ShouldBeFalse();
        _time.Advance(TimeSpan.FromMilliseconds(999));
        counts.IsOver(set).ShouldBeFalse();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        counts.IsOver(set).ShouldBeTrue("somebody has taken it");
    }
}
