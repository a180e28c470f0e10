using System.Text.Json;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Strategies;
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
        LimiterRest.Of(Point, _settings, isLimitKnown: true).ShouldBe(new LimiterRest(LimiterActivity.Paused, $"paused by ann; 'retryctl limiter resume {Point}' ends it"));

        Set(2, paused: false);
        LimiterRest.Of(Point, _settings, isLimitKnown: true).ShouldBeNull();
    }

    [Fact]
    public void A_point_that_is_paused_rests_until_it_is_on_again()
    {
        Switch(1, "Paused");
        LimiterRest.Of(Point, _settings, isLimitKnown: true).ShouldBe(
            new LimiterRest(LimiterActivity.Paused, "paused, with the whole point, by bob; 'retryctl policy set orders --switch On' ends it"));

        // what nobody understands changes nothing
        Switch(2, "Sleepy");
        LimiterRest.Of(Point, _settings, isLimitKnown: true).ShouldNotBeNull();

        Switch(3, "On");
        LimiterRest.Of(Point, _settings, isLimitKnown: true).ShouldBeNull();
    }

    [Fact]
    public void A_setting_that_cannot_be_read_is_never_nothing_set()
    {
        Set(1, paused: false);
        _settings.Read(new ControlRecord(LimiterDocument.SettingKind, Point, 2, "no json"u8.ToArray()));

        var rest = LimiterRest.Of(Point, _settings, isLimitKnown: true).ShouldNotBeNull();

        rest.Activity.ShouldBe(LimiterActivity.Down);
        rest.Reason.ShouldContain("no document of ours");
    }

    private void Switch(long version, string state) =>
        _settings.Read(new PolicyDocument(Point, new Dictionary<string, JsonElement> { ["Switch"] = JsonSerializer.SerializeToElement(state) })
        {
            Version = version,
            By = "bob",
        }.Write());

    private void Set(long version, bool paused) =>
        _settings.Read(LimiterDocument.Write(new LimiterSetting { Point = Point, Version = version, PerSecond = 10, Paused = paused, By = "ann" }));
}
