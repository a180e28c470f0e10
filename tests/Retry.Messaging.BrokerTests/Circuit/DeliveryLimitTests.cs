using System.Collections.Concurrent;
using System.Diagnostics;
using MassTransit;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Limiter;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Circuit;

/// <summary>A cap on all deliveries of a point: the starts of its consumers are counted by the consumers.</summary>
[Collection(OperatorBroker.Name)]
public sealed class DeliveryLimitTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const double PerSecond = 20;
    private const int Burst = 3;

    // between the permit and the consumer lies this process, which has other work
    private const int Jitter = 2;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task No_window_has_more_starts_than_the_cap_allows_first_deliveries_and_retries_together(int instances)
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        var starts = new ConcurrentQueue<(DateTimeOffset At, int Number)>();
        var services = new List<RetryService>();
        try
        {
            for (var i = 0; i < instances; i++)
            {
                services.Add(await StartAsync(address, starts, PerSecond));
            }

            // one in four fails once
            for (var number = 0; number < 200; number++)
            {
                await services[0].Bus.Publish(new Charge(number));
            }

            await Eventually.TrueAsync(() => starts.Count == 250, Deadline, () => $"{starts.Count} of 250 starts");
        }
        finally
        {
            await Task.WhenAll(services.Select(service => service.DisposeAsync().AsTask()));
        }

        var at = starts.Select(start => start.At).Order().ToList();
        output.WriteLine($"{instances} instances: 250 starts in {(at[^1] - at[0]).TotalSeconds:0.0} s, {249 / (at[^1] - at[0]).TotalSeconds:0.0}/s");
        foreach (var window in new[] { 0.1, 1, 10 }.Select(TimeSpan.FromSeconds))
        {
            var most = at.Max(first => at.Count(other => other >= first && other <= first + window));
            output.WriteLine($"at most {most} in {window.TotalSeconds} s");
            most.ShouldBeLessThanOrEqualTo((int)(PerSecond * window.TotalSeconds) + Burst + Jitter);
        }

        (await raw.CountAsync("payments")).ShouldBe(0u);
        (await raw.CountAsync("payments.parked")).ShouldBe(0u);
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task No_window_has_more_starts_over_kills_of_eight_processes_while_a_hundred_thousand_wait()
    {
        const int Count = 100_000;
        const int Cap = 100;
        const int Kills = 6;
        const int Processes = 8;
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var cluster = new CircuitCluster(address, breaker: false, TimeSpan.FromSeconds(5)) { Cap = Cap };
        await cluster.StartAsync(Processes);
        await cluster.SendAsync(Count);
        for (var kill = 0; kill < Kills; kill++)
        {
            await Scenario.PauseAsync(TimeSpan.FromSeconds(10));
            // every third time the one that gives the permits
            await cluster.EndAsync(kill % 3 == 1 ? await cluster.FindJudgeAsync(broker.Broker) : cluster.Processes[0], kill: true);
            await cluster.StartAsync(1);
        }

        foreach (var process in cluster.Processes.ToList())
        {
            await cluster.EndAsync(process, kill: false);
        }

        // what a killed one had begun was delivered again, and is a start like any other
        var calls = cluster.Calls();
        var at = calls.Select(call => call.At.Ticks * (Stopwatch.Frequency / TimeSpan.TicksPerSecond)).ToList();
        var excess = WindowBound.WorstExcess(at, Cap, CircuitConsumer.Burst);
        output.WriteLine($"{calls.Count} starts in {(calls[^1].At - calls[0].At).TotalSeconds:0.0} s, {calls.Count - calls.Select(call => call.Message).Distinct().Count()} of them again; in the worst window {excess:0.0} more than the bound");
        excess.ShouldBeLessThanOrEqualTo(Processes * Jitter);

        var began = calls.Select(call => call.Message).Distinct().Count();
        long left = 0;
        await Eventually.TrueAsync(
            async () => began + (left = (await raw.CountAsync("payments") ?? 0) + (await raw.CountAsync("payments.release") ?? 0)) >= Count,
            Deadline,
            () => $"{began} began, and {left} of {Count} are left");
        (await raw.CountAsync("payments.parked")).ShouldBe(0u);
    }

    [Fact]
    public async Task An_operator_sets_and_takes_away_a_cap_under_load_and_nothing_is_doubled_or_left()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        var starts = new ConcurrentQueue<(DateTimeOffset At, int Number)>();
        await using var one = await StartAsync(address, starts, null);
        await using var two = await StartAsync(address, starts, null);
        var sent = 0;
        for (var round = 0; round < 4; round++)
        {
            var cap = round % 2 == 0 ? "--deliveries-per-second 40" : "--deliveries-per-second 1000 --delivery-burst 100";
            (await CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, $"policy set payments {cap}")).ExitCode.ShouldBe(ExitCode.Done);
            for (var i = 0; i < 50; i++)
            {
                // none of them fails
                await one.Bus.Publish(new Charge((4 * sent++) + 1));
            }
        }

        (await CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, "policy clear payments")).ExitCode.ShouldBe(ExitCode.Done);
        await Eventually.TrueAsync(() => starts.Count >= sent, Deadline, () => $"{starts.Count} of {sent}");
        await Eventually.TrueAsync(async () => await raw.CountAsync("payments") == 0, Deadline);
        starts.Count.ShouldBe(sent);
        starts.Select(start => start.Number).Distinct().Count().ShouldBe(sent);
    }

    private static Task<RetryService> StartAsync(Uri address, ConcurrentQueue<(DateTimeOffset At, int Number)> starts, double? perSecond) =>
        RetryService.StartAsync(address, (context, bus) => bus.ReceiveEndpoint("payments", endpoint =>
        {
            endpoint.PrefetchCount = 16;
            endpoint.UseGradientRetry(context, retry =>
            {
                retry.Fixed(TimeSpan.FromSeconds(1)).Retries(3);
                if (perSecond is { } cap)
                {
                    retry.LimitDelivery(cap, Burst);
                }
            });
            endpoint.Handler<Charge>(charge =>
            {
                var number = charge.Message.Number;
                starts.Enqueue((DateTimeOffset.UtcNow, number));
                return number % 4 == 0 && charge.GetRetryChain().Attempt == 1 ? throw new InvalidOperationException("once") : Task.CompletedTask;
            });
        }));

    public sealed record Charge(int Number);
}
