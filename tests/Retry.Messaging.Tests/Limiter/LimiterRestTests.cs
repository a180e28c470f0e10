using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Limiter;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Limiter;

/// <summary>When a limiter releases nothing, whatever waits.</summary>
public sealed class LimiterRestTests
{
    private const string Point = "orders";

    private readonly LimiterSettings _settings = new(Point);

    [Fact]
    public void Nothing_set_and_a_limit_known_it_releases() => LimiterRest.Of(Point, _settings, isLimitKnown: true).ShouldBeNull();

    [Fact]
    public void Who_knows_no_limit_releases_nothing()
    {
        var rest = LimiterRest.Of(Point, _settings, isLimitKnown: false).ShouldNotBeNull();

        rest.Activity.ShouldBe(LimiterActivity.Down);
        rest.Reason.ShouldEndWith("'retryctl limiter rate orders PER_SECOND'");
    }

    [Fact]
    public void A_pause_holds_until_it_ends()
    {
        Set(1, paused: true);
        LimiterRest.Of(Point, _settings, isLimitKnown: true).ShouldBe(new LimiterRest(LimiterActivity.Paused, "paused by ann"));

        Set(2, paused: false);
        LimiterRest.Of(Point, _settings, isLimitKnown: true).ShouldBeNull();
    }

    [Fact]
    public void A_setting_that_cannot_be_read_is_never_nothing_set()
    {
        Set(1, paused: false);
        _settings.Read(new ControlRecord(LimiterDocument.SettingKind, Point, 2, "no json"u8.ToArray()));

        var rest = LimiterRest.Of(Point, _settings, isLimitKnown: true).ShouldNotBeNull();

        rest.Activity.ShouldBe(LimiterActivity.Down);
        rest.Reason.ShouldContain("no JSON of ours");
    }

    private void Set(long version, bool paused) =>
        _settings.Read(LimiterDocument.Write(new LimiterSetting { Point = Point, Version = version, PerSecond = 10, Paused = paused, By = "ann" }));
}
