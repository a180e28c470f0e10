using System.Diagnostics.Metrics;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Telemetry;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Telemetry;

/// <summary>What a service says about itself: its health, and what it measures on a broker.</summary>
[Collection(SharedBroker.Name)]
public sealed class HealthTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_service_with_its_ladder_is_ready_and_measures_with_cluster_vhost_and_point()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        using var meters = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var factory = meters.GetRequiredService<IMeterFactory>();
        using var metrics = new CollectedMetrics(factory);
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint("orders", e =>
            {
                e.UseGradientRetry(context, retry => retry.Intervals("100ms"));
                e.Handler<Order>(_ => throw new InvalidOperationException("never"));
            }),
            services: services => services.AddSingleton(factory));

        await WaitForAsync(service, HealthStatus.Healthy);
        await service.Bus.Publish(new Order("o-1"));
        await raw.WaitForCountAsync("orders.parked", 1, Deadline);
        await service.StopAsync();

        metrics.Of("retry.attempts").Select(one => one.Labels["outcome"]).ShouldBe(["retried", "parked"]);
        metrics.Of("retry.confirm.duration").Count.ShouldBe(2);
        metrics.Of("retry.confirm.duration").ShouldAllBe(one => one.Value > 0 && one.Value < 30);
        metrics.Of("retry.lateness").ShouldHaveSingleItem().Value.ShouldBeInRange(0, 30);
        metrics.Observe("retry.held").ShouldHaveSingleItem().Value.ShouldBe(0);
        var cluster = System.Text.Encoding.UTF8.GetString((byte[])raw.Connection.ServerProperties!["cluster_name"]!);
        metrics.All.ShouldAllBe(one => one.Labels["cluster"] == cluster && one.Labels["vhost"] == Uri.UnescapeDataString(uri.AbsolutePath.Trim('/')) && one.Labels["point"] == "orders");
    }

    [Fact]
    public async Task A_missing_ladder_that_somebody_else_manages_degrades_and_is_named()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(_ => Task.CompletedTask)),
            x => x.AddGradientRetry(options => options.ManageTopology = TopologyManagement.Verify));

        var entry = await WaitForAsync(service, HealthStatus.Degraded, "retry.v1.");

        entry.Description.ShouldNotBeNull().ShouldContain("retryctl topology apply");
        entry.Data["orders"].ShouldBeOfType<string>().ShouldContain("bindings and policies are not checked");
    }

    [Fact]
    public async Task A_part_that_is_not_as_planned_degrades()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            await channel.QueueDeclareAsync("orders.parked", durable: true, exclusive: false, autoDelete: false);
        }

        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(_ => Task.CompletedTask)));

        await WaitForAsync(service, HealthStatus.Degraded, "orders.parked");
    }

    [Fact]
    public async Task A_rung_that_somebody_deletes_degrades_until_it_is_back()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder);
        await raw.DeclareQueueAsync("orders");
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Point(RetryPointNames.For("orders"), withRelease: false));
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint("orders", e =>
            {
                e.SetQuorumQueue();
                e.Handler<Order>(_ => Task.CompletedTask);
            }),
            x => x.AddGradientRetry(options =>
            {
                options.ManageTopology = TopologyManagement.Verify;
                options.Rounds = new TopologyRounds { Interval = TimeSpan.FromMilliseconds(500), Shortest = TimeSpan.FromMilliseconds(100) };
            }));
        await WaitForAsync(service, HealthStatus.Healthy);

        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            await channel.QueueDeleteAsync("retry.v1.30s", ifUnused: false, ifEmpty: false);
        }

        var entry = await WaitForAsync(service, HealthStatus.Degraded, "retry.v1.30s");
        entry.Description.ShouldNotBeNull().ShouldContain("retryctl topology apply");

        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder);
        await WaitForAsync(service, HealthStatus.Healthy);
    }

    [Fact]
    public async Task A_limited_point_that_is_disconnected_and_connected_again_is_healthy()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var service = await RetryService.StartAsync(uri, (_, _) => { });
        var connector = service.Services.GetRequiredService<IReceiveEndpointConnector>();
        for (var i = 0; i < 2; i++)
        {
            var endpoint = connector.ConnectReceiveEndpoint("orders", (context, e) =>
            {
                e.UseGradientRetry(context, retry => retry.LimitRedelivery(10));
                e.Handler<Order>(_ => Task.CompletedTask);
            });
            // as the broker sees it
            await raw.WaitForConsumersAsync("orders", 1, Deadline);
            await WaitForAsync(service, HealthStatus.Healthy);

            await endpoint.StopAsync().WaitAsync(Deadline);

            await WaitForAsync(service, HealthStatus.Healthy);
        }
    }

    [Fact]
    public async Task A_limited_point_without_its_limiter_degrades_and_is_named()
    {
        await using var service = await RetryService.StartAsync(
            await broker.CreateVirtualHostAsync(),
            (context, cfg) => cfg.ReceiveEndpoint("orders", e =>
            {
                e.UseGradientRetry(context, retry => retry.LimitRedelivery(10));
                e.Handler<Order>(_ => Task.CompletedTask);
            }),
            x => x.AddGradientRetry(options => options.ManageTopology = TopologyManagement.Never));

        var entry = await WaitForAsync(service, HealthStatus.Degraded, "no limiter in this process: There is no queue 'orders.release'");

        entry.Description.ShouldNotBeNull().ShouldStartWith("Queue 'orders': no limiter in this process");
    }

    // endpoints report a moment after the start, and a look at the topology is a matter of seconds
    private static async Task<HealthReportEntry> WaitForAsync(RetryService service, HealthStatus wanted, string? named = null)
    {
        var checks = service.Services.GetRequiredService<HealthCheckService>();
        var entry = default(HealthReportEntry);
        await Eventually.TrueAsync(IsWantedAsync, Deadline, () => $"{entry.Status}: {entry.Description}");
        entry.Tags.ShouldBe(["ready", "masstransit"], ignoreOrder: true);
        return entry;

        async Task<bool> IsWantedAsync()
        {
            entry = (await checks.CheckHealthAsync(registration => registration.Name == "gradient-retry")).Entries["gradient-retry"];
            return entry.Status == wanted && (named is null || entry.Data["orders"].ToString()!.Contains(named, StringComparison.Ordinal));
        }
    }

    public sealed record Order(string Id);
}
