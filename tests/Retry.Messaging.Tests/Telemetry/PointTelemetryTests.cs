using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Telemetry;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Telemetry;

public sealed class PointTelemetryTests : IDisposable
{
    private static readonly TimeProvider Time = TimeProvider.System;

    private readonly ServiceProvider _provider = new ServiceCollection().AddMetrics().BuildServiceProvider();

    private IMeterFactory Factory => _provider.GetRequiredService<IMeterFactory>();

    [Fact]
    public void With_nobody_listening_a_message_costs_no_memory()
    {
        using var metrics = new RetryMetrics();
        var point = metrics.Point(this, "orders", Time);
        point.IsAt("rabbit@one", "/");
        Deliver(point, 10);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Deliver(point, 10_000);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void Each_reason_and_cause_has_its_own_count()
    {
        using var collected = new CollectedMetrics(Factory);
        using var metrics = new RetryMetrics(Factory);
        var point = metrics.Point(this, "orders", Time);
        point.IsAt("rabbit@one", "shop");

        point.Parked(ParkReason.Expired, new TimeoutException());
        point.Parked(ParkReason.Poison, new InvalidOperationException());
        point.Climbed(ClimbCause.Early, TimeSpan.FromSeconds(1));
        point.Climbed(ClimbCause.Suspected, TimeSpan.FromSeconds(5));

        collected.Of("retry.parked").Select(one => one.Labels["reason"]).ShouldBe(["Expired", "Poison"]);
        // a suspect is not consumed: no attempt
        collected.Of("retry.attempts").ShouldHaveSingleItem().Labels["outcome"].ShouldBe("parked");
        collected.Of("retry.crashes").Count.ShouldBe(2);
        collected.Of("retry.early").ShouldHaveSingleItem().Labels.ShouldBe(new Dictionary<string, string?> { ["cluster"] = "rabbit@one", ["vhost"] = "shop", ["point"] = "orders" }, ignoreOrder: true);
        collected.Of("retry.retries").ShouldBeEmpty();
        collected.Of("retry.delay").ShouldBeEmpty();
    }

    [Fact]
    public void Lateness_by_another_clock_is_none()
    {
        using var collected = new CollectedMetrics(Factory);
        using var metrics = new RetryMetrics(Factory);
        var point = metrics.Point(this, "orders", Time);

        point.Began(2, Time.GetUtcNow().AddHours(1));
        point.Began(2, Time.GetUtcNow().AddSeconds(-3));
        point.Began(1, null);

        var lateness = collected.Of("retry.lateness");
        lateness.Count.ShouldBe(2);
        lateness[0].Value.ShouldBe(0);
        lateness[1].Value.ShouldBeInRange(3, 30);
    }

    [Fact]
    public void What_is_held_is_counted_by_point_until_it_is_confirmed()
    {
        using var collected = new CollectedMetrics(Factory);
        using var metrics = new RetryMetrics(Factory);
        var orders = metrics.Point(this, "orders", Time);
        var payments = metrics.Point(this, "payments", Time);
        orders.IsAt("rabbit@one", "/");
        payments.IsAt("rabbit@one", "/");

        using (var held = orders.Health.Held.Begin())
        {
            Held().ShouldBe([("orders", 0), ("payments", 0)], ignoreOrder: true);
            held.Because("alarm").ShouldBeTrue();
            held.Because("alarm").ShouldBeFalse();
            Held().ShouldBe([("orders", 1), ("payments", 0)], ignoreOrder: true);
        }

        Held().ShouldBe([("orders", 0), ("payments", 0)], ignoreOrder: true);

        IEnumerable<(string?, double)> Held() => collected.Observe("retry.held").Select(one => (one.Labels["point"], one.Value));
    }

    [Fact]
    public void An_endpoint_that_is_connected_twice_is_one_point_and_one_on_another_bus_is_another()
    {
        using var metrics = new RetryMetrics();

        metrics.Point(this, "orders", Time).ShouldBeSameAs(metrics.Point(this, "orders", Time));
        metrics.Point(this, "orders", Time).ShouldNotBeSameAs(metrics.Point(metrics, "orders", Time));
    }

    public void Dispose() => _provider.Dispose();

    private static void Deliver(PointTelemetry point, int times)
    {
        var due = Time.GetUtcNow();
        for (var i = 0; i < times; i++)
        {
            point.Began(2, due);
            point.Confirmed(point.Publishing());
            point.Done();
        }
    }
}
