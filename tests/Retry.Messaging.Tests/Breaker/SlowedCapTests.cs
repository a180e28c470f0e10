using Retry.Messaging.Breaker;
using Retry.Messaging.Configuration;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Breaker;

public class SlowedCapTests
{
    private readonly SlowedCap _cap = new();

    [Fact]
    public void It_halves_at_once_and_comes_back_within_half_a_minute_by_the_same_step_each_second()
    {
        _cap.Share(100).ShouldBe(1);
        _cap.Slow(100).ShouldBeTrue();

        _cap.Share(100.5).ShouldBe(0.5);
        _cap.Share(101).ShouldBe(0.5 + SlowedCap.Step, 1e-9);
        _cap.Share(101.9).ShouldBe(_cap.Share(101));
        _cap.Share(115).ShouldBe(0.75, 1e-9);
        _cap.Share(130).ShouldBe(1);
        _cap.Share(1000).ShouldBe(1);
    }

    [Fact]
    public void Answers_to_what_was_sent_before_halve_it_once()
    {
        _cap.Slow(0).ShouldBeTrue();
        _cap.Slow(1).ShouldBeFalse();
        _cap.Slow(4.9).ShouldBeFalse();

        _cap.Slow(5).ShouldBeTrue();
        _cap.Share(5).ShouldBe((0.5 + (5 * SlowedCap.Step)) / 2, 1e-9);
    }

    [Fact]
    public void It_never_stops()
    {
        for (var now = 0; now < 1000; now += 5)
        {
            _cap.Slow(now).ShouldBeTrue();
        }

        _cap.Share(995).ShouldBeInRange(SlowedCap.Least, 0.1);
        _cap.Of(new RedeliveryLimit(SettingRange.LowestRate, 1), 995)!.PerSecond.ShouldBe(SettingRange.LowestRate);
    }

    [Fact]
    public void Only_the_rate_of_a_cap_is_slowed()
    {
        _cap.Slow(0);

        _cap.Of(new RedeliveryLimit(50, 7), 0).ShouldBe(new RedeliveryLimit(25, 7));
        _cap.Of(null, 0).ShouldBeNull();
        var cap = new RedeliveryLimit(50, 7);
        _cap.Of(cap, 60).ShouldBeSameAs(cap);
    }

    /// <summary>A target that takes 30/s of a cap of 100/s and answers 429 to the rest gets about what it takes.</summary>
    [Fact]
    public void Against_a_target_that_takes_less_than_the_cap_it_stays_about_there()
    {
        var rates = new List<double>();
        for (var now = 0; now < 600; now++)
        {
            var rate = 100 * _cap.Share(now);
            rates.Add(rate);
            if (rate > 30)
            {
                _cap.Slow(now);
            }
        }

        rates.Skip(60).Average().ShouldBeInRange(15, 31);
        rates.Skip(60).Max().ShouldBeLessThan(45);
    }
}
