using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.MassTransit.Endpoints;
using Retry.Messaging.RabbitMq.Health;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Health;

public sealed class PointHealthTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly PointHealth _point;

    public PointHealthTests() => _point = new PointHealth("orders", _clock);

    [Fact]
    public async Task A_point_of_which_nothing_bad_is_known_is_healthy()
    {
        var result = await CheckAsync();

        result.Status.ShouldBe(HealthStatus.Healthy);
        result.Data["orders"].ShouldBe("well");
    }

    [Theory]
    [InlineData(29_999, HealthStatus.Healthy)]
    [InlineData(30_000, HealthStatus.Degraded)]
    public async Task An_outcome_that_stays_unconfirmed_for_30_seconds_degrades(int milliseconds, HealthStatus status)
    {
        using var held = _point.Held.Begin();
        _clock.Advance(TimeSpan.FromSeconds(1));
        held.Because("low on memory");
        _clock.Advance(TimeSpan.FromMilliseconds(milliseconds - 1000));

        (await CheckAsync()).Status.ShouldBe(status);
    }

    [Fact]
    public async Task The_oldest_counts_and_a_confirm_ends_it()
    {
        var old = _point.Held.Begin();
        old.Because("low on memory");
        _clock.Advance(TimeSpan.FromSeconds(40));
        using var young = _point.Held.Begin();
        young.Because("no majority");

        var result = await CheckAsync();
        result.Status.ShouldBe(HealthStatus.Degraded);
        result.Description.ShouldBe("Queue 'orders': Held outcomes: 2, the oldest for 40 s: low on memory");

        old.Dispose();
        (await CheckAsync()).Status.ShouldBe(HealthStatus.Healthy);
    }

    [Fact]
    public async Task A_publish_that_is_slow_but_not_refused_is_not_held()
    {
        using var slow = _point.Held.Begin();
        _clock.Advance(TimeSpan.FromMinutes(5));

        (await CheckAsync()).Status.ShouldBe(HealthStatus.Healthy);
    }

    [Fact]
    public async Task What_is_missing_degrades_until_all_parts_are_as_planned()
    {
        _point.Found(PointHealth.Ladder, "Found no queue 'retry.v1.30s'. Run 'retryctl topology apply'.");
        _point.Found(PointHealth.Point, "Found no queue 'orders.parked'.");

        var both = await CheckAsync();
        both.Status.ShouldBe(HealthStatus.Degraded);
        both.Description.ShouldBe("Queue 'orders': Found no queue 'retry.v1.30s'. Run 'retryctl topology apply'.");
        both.Data["orders"].ToString()!.ShouldContain("orders.parked");

        _point.Found(PointHealth.Ladder, (string?)null);
        (await CheckAsync()).Status.ShouldBe(HealthStatus.Degraded);
        _point.Found(PointHealth.Point, []);
        (await CheckAsync()).Status.ShouldBe(HealthStatus.Healthy);
    }

    [Fact]
    public async Task Of_several_buses_with_a_queue_of_one_name_the_well_ones_hide_nothing()
    {
        _point.Found(PointHealth.Point, "Found no queue 'orders.parked'.");
        var check = new GradientRetryHealthCheck();
        check.Add(_point);
        for (var i = 0; i < 20; i++)
        {
            check.Add(new PointHealth("orders", _clock));
        }

        var result = await check.CheckHealthAsync(new HealthCheckContext());

        result.Status.ShouldBe(HealthStatus.Degraded);
        result.Data["orders"].ToString()!.ShouldContain("orders.parked");
    }

    [Fact]
    public async Task A_limited_point_is_degraded_while_it_has_no_limiter_and_shows_what_its_limiter_does()
    {
        string? down = "no limiter in this process: no broker answers";
        _point.Limiter = () => "StandingBy since 2026-11-29 03:00:00Z";
        _point.LimiterTrouble = () => down;

        var without = await CheckAsync();
        without.Status.ShouldBe(HealthStatus.Degraded);
        without.Description.ShouldBe("Queue 'orders': no limiter in this process: no broker answers");

        down = null;
        var with = await CheckAsync();
        with.Status.ShouldBe(HealthStatus.Healthy);
        with.Data["orders"].ShouldBe("well, limiter StandingBy since 2026-11-29 03:00:00Z");
    }

    private Task<HealthCheckResult> CheckAsync()
    {
        var check = new GradientRetryHealthCheck();
        check.Add(_point);
        return check.CheckHealthAsync(new HealthCheckContext());
    }
}
