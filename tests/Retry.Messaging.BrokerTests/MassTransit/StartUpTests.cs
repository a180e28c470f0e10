using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>The first moments of a service, whose messages fail before its topology is known to be there.</summary>
[Collection(SharedBroker.Name)]
public sealed class StartUpTests(BrokerFixture broker, ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(15);
    private static readonly byte[] Body = Encoding.UTF8.GetBytes($$"""{"messageType":["{{MessageUrn.ForTypeString<Early>()}}"],"message":{"number":1} }""");

    /// <summary>Messages come in from the moment that the service has made its queue, and fail before it has bound it to the ladder and the parking lot.</summary>
    [Fact]
    public async Task What_fails_before_its_point_is_bound_is_not_lost()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        string[] queues = [.. Enumerable.Range(1, 8).Select(number => $"early-{number}")];
        var failed = new ConcurrentDictionary<string, int>();
        // ladder, connection and publisher are there, as for an endpoint that is connected while the service runs: nothing delays the first failure
        await using var service = await StartAsync(uri, new LogLines(), ["before"]);
        await raw.PublishAsync(string.Empty, "before", Body, new BasicProperties { ContentType = "application/vnd.masstransit+json" });
        await raw.WaitForCountAsync(BrokerNames.ParkedQueue("before"), 1, Deadline);
        using var enough = new CancellationTokenSource();
        var flood = FloodAsync(raw.Connection, queues, enough.Token);

        foreach (var queue in queues)
        {
            service.Services.GetRequiredService<IReceiveEndpointConnector>().ConnectReceiveEndpoint(queue, (context, e) =>
                Configure(context, e, () => failed.AddOrUpdate(queue, 1, static (_, count) => count + 1)));
        }

        foreach (var queue in queues)
        {
            await WaitAsync(async () => await raw.CountAsync(BrokerNames.ParkedQueue(queue)) is > 0);
        }

        await enough.CancelAsync();
        await flood;
        foreach (var queue in queues)
        {
            await raw.WaitForCountAsync(queue, 0, Deadline);
            await WaitAsync(async () => await raw.CountAsync(BrokerNames.ParkedQueue(queue)) == failed[queue]);
        }

        (await raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
    }

    [Fact]
    public async Task A_user_who_may_not_declare_holds_what_fails_until_somebody_who_may_has()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        using var management = new RawManagement(broker.Broker, uri);
        var user = "limited-" + Guid.NewGuid().ToString("N");
        await management.SetUserAsync(user, "pass", mayConfigure: @"^(?!retry\.)(?!.*\.parked$).*$");
        try
        {
            var log = new LogLines();
            await using var service = await StartAsync(new UriBuilder(uri) { UserName = user, Password = "pass" }.Uri, log, ["forbidden"]);
            await raw.PublishAsync(string.Empty, "forbidden", Body, new BasicProperties { ContentType = "application/vnd.masstransit+json" });
            await log.WaitForLineAsync(Deadline);

            log.Lines.ShouldContain(line => line.Contains("the retry topology is not complete", StringComparison.OrdinalIgnoreCase));
            (await raw.CountAsync(BrokerNames.ParkedQueue("forbidden"))).ShouldBeNull();

            await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder.Then(TopologyPlan.Point(RetryPointNames.For("forbidden"), withRelease: false)));
            await raw.WaitForCountAsync(BrokerNames.ParkedQueue("forbidden"), 1, Deadline);
            (await raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
        }
        finally
        {
            await management.DeleteUserAsync(user);
        }
    }

    /// <summary>MassTransit waits for what a start has begun before it cancels it.</summary>
    [Fact]
    public async Task A_bus_that_is_stopped_while_it_declares_its_topology_stops_at_once()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var slow = new StallingWire(uri) { Delay = TimeSpan.FromMilliseconds(100) };
        var services = new ServiceCollection();
        services.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            x.AddGradientRetry();
            x.UsingRabbitMq((context, cfg) =>
            {
                cfg.Host(slow.Address);
                cfg.ReceiveEndpoint("stopped", e => Configure(context, e));
            });
        });
        await using var provider = services.BuildServiceProvider();
        using var cancel = new CancellationTokenSource();
        var starting = provider.GetRequiredService<IBusControl>().StartAsync(cancel.Token);
        await raw.WaitForCountAsync("retry.v1.100ms", 0, Deadline);

        var clock = Stopwatch.StartNew();
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => starting);

        output.WriteLine($"stopped after {clock.Elapsed.TotalSeconds:0.0} s");
        clock.Elapsed.ShouldBeLessThan(StopTime);
        (await raw.CountAsync(BrokerNames.LostQueue)).ShouldBeNull("it was stopped while it declared");
    }

    /// <summary>A kill switch stops the endpoint as soon as it has started, and starts it again a second later.</summary>
    [Fact]
    public async Task A_kill_switch_does_not_wait_for_the_topology()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await raw.DeclareQueueAsync("killed");
        for (var i = 0; i < 20; i++)
        {
            await raw.PublishAsync(string.Empty, "killed", Body, new BasicProperties { ContentType = "application/vnd.masstransit+json" });
        }

        await using var slow = new StallingWire(uri) { Delay = TimeSpan.FromMilliseconds(20) };
        var times = new ConcurrentQueue<TimeSpan>();
        var clock = Stopwatch.StartNew();
        await using var service = await RetryService.StartAsync(
            slow.Address,
            (context, cfg) => cfg.ReceiveEndpoint("killed", e =>
            {
                e.SetQuorumQueue();
                e.PrefetchCount = 4;
                e.UseKillSwitch(options => options.SetActivationThreshold(1).SetTripThreshold(0.1).SetRestartTimeout(s: 1));
                e.UseGradientRetry(context, retry => retry.Retries(0));
                e.Handler<Early>(_ =>
                {
                    times.Enqueue(clock.Elapsed);
                    throw new InvalidOperationException("at once");
                });
            }));

        await raw.WaitForCountAsync(BrokerNames.ParkedQueue("killed"), 20, TimeSpan.FromMinutes(3));
        var longest = times.Zip(times.Skip(1), (first, second) => second - first).Max();
        output.WriteLine($"longest pause {longest.TotalSeconds:0.0} s");
        longest.ShouldBeLessThan(StopTime);
    }

    private static async Task WaitAsync(Func<Task<bool>> isSo)
    {
        await Eventually.TrueAsync(isSo, Deadline);
    }

    // what finds no queue yet is dropped by the broker, as of any publisher who does not ask to be told
    private static async Task FloodAsync(IConnection connection, string[] queues, CancellationToken enough)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: CancellationToken.None);
        while (!enough.IsCancellationRequested)
        {
            foreach (var queue in queues)
            {
                await channel.BasicPublishAsync(string.Empty, queue, mandatory: false, new BasicProperties { ContentType = "application/vnd.masstransit+json" }, Body, CancellationToken.None);
            }

            await Scenario.PauseAsync(TimeSpan.FromMilliseconds(1));
        }
    }

    private static Task<RetryService> StartAsync(Uri uri, LogLines log, string[] queues) => RetryService.StartAsync(
        uri,
        (context, cfg) =>
        {
            foreach (var queue in queues)
            {
                cfg.ReceiveEndpoint(queue, e => Configure(context, e));
            }
        },
        services: log.AddTo);

    private static void Configure(IRegistrationContext context, IReceiveEndpointConfigurator endpoint, Action? failing = null)
    {
        (endpoint as IRabbitMqReceiveEndpointConfigurator)?.SetQuorumQueue();
        endpoint.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(0));
        endpoint.Handler<Early>(_ =>
        {
            failing?.Invoke();
            throw new InvalidOperationException("at once");
        });
    }

    public sealed record Early(int Number);
}
