using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using MassTransit;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Limiter;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Testing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Circuit;

/// <summary>In an alarm the broker reads no connection that has published: no pulse, no permit and no document gets through.</summary>
// a node of its own, and a minute each
[Trait("Category", "Long")]
public sealed class CircuitAlarmTests(OwnNode node, ITestOutputHelper output) : IClassFixture<OwnNode>
{
    private const int Messages = 100;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    // twice as long as a circuit waits for somebody who judges
    private static readonly TimeSpan Alarm = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_circuit_stays_as_it_is_and_what_was_set_stays_set(bool isIll)
    {
        var address = await node.Broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        using var log = new LogLines();
        var target = new Target { IsIll = isIll };
        await using var one = await StartAsync(address, target, log);
        await using var two = await StartAsync(address, target, log);
        await PublishAsync(one);
        await Eventually.TrueAsync(async () => isIll ? await IsAsync(address, "Open") : target.Done.Count == Messages, Deadline, every: TimeSpan.FromMilliseconds(500));
        (await RunAsync(address, "policy set payments --retries 7")).ExitCode.ShouldBe(ExitCode.Done);
        var version = await VersionAsync(address);
        var before = log.Lines.Count;

        await node.Broker.ControlAsync("set_vm_memory_high_watermark", "0.00001");
        var began = DateTimeOffset.UtcNow;
        try
        {
            await Scenario.PauseAsync(Alarm);
            // who only reads is read
            (await VersionAsync(address)).ShouldBe(version, "nothing opens or closes by itself");
            (await RunAsync(address, "policy show payments")).Output.ShouldContain("Version 1: Retries 7, by ");
        }
        finally
        {
            await node.Broker.ControlAsync("set_vm_memory_high_watermark", "0.6");
        }

        // what could not be sent meanwhile does not come all at once
        var ended = DateTimeOffset.UtcNow;
        await Scenario.PauseAsync(2 * Interval);
        var (during, after) = (target.Failed.Count(at => at > began && at <= ended), target.Failed.Count(at => at > ended));
        output.WriteLine($"{during} calls of the ill target in an alarm of {Alarm.TotalSeconds} s, {after} in the {2 * Interval.TotalSeconds} s after it");
        during.ShouldBeLessThanOrEqualTo((int)(Alarm / Interval) + 1, "one probe in an interval at the most");
        after.ShouldBeLessThanOrEqualTo(3, "one probe in an interval at the most");
        var said = log.Lines.Skip(before).GroupBy(line => line, StringComparer.Ordinal).ToList();
        foreach (var line in said)
        {
            output.WriteLine($"{line.Count()} x {line.Key}");
        }

        said.ShouldAllBe(line => line.Count() <= 2, "each of the two instances says it once");
        said.ShouldAllBe(line => !line.Key.Contains("canceled", StringComparison.Ordinal), "the client's word for a broker that does not answer");
        target.IsIll = false;
        await PublishAsync(one);
        await Eventually.TrueAsync(() => target.Done.Count == 2 * Messages, Deadline, () => $"{target.Done.Count} done");
        await Eventually.TrueAsync(() => IsAsync(address, "Closed"), Deadline, every: TimeSpan.FromMilliseconds(500));
        (await raw.CountAsync("payments.parked")).ShouldBe(0u);
    }

    /// <summary>Permits are given by the clock, and those that the broker does not read may arrive together when it does.</summary>
    [Fact]
    public async Task A_cap_holds_in_an_alarm_and_after_it()
    {
        const double Cap = 20;
        const int Burst = 3;
        const int Jitter = 2;
        var starts = new ConcurrentQueue<long>();
        await using var service = await RetryService.StartAsync(await node.Broker.CreateVirtualHostAsync(), (context, bus) => bus.ReceiveEndpoint("payments", endpoint =>
        {
            endpoint.PrefetchCount = 1000;
            endpoint.UseGradientRetry(context, retry => retry.LimitDelivery(Cap, Burst));
            endpoint.Handler<Charge>(_ =>
            {
                starts.Enqueue(Stopwatch.GetTimestamp());
                return Task.CompletedTask;
            });
        }));
        for (var i = 0; i < 10; i++)
        {
            await PublishAsync(service);
        }

        await Eventually.TrueAsync(() => starts.Count > 2 * Cap, Deadline);
        await node.Broker.ControlAsync("set_vm_memory_high_watermark", "0.00001");
        try
        {
            await Scenario.PauseAsync(Alarm / 2);
        }
        finally
        {
            await node.Broker.ControlAsync("set_vm_memory_high_watermark", "0.6");
        }

        var before = starts.Count;
        await Eventually.TrueAsync(() => starts.Count > before + (10 * Cap), Deadline);
        var excess = WindowBound.WorstExcess([.. starts], Cap, Burst);
        output.WriteLine($"{before} starts before the end of an alarm of {Alarm.TotalSeconds / 2} s, {starts.Count - before} since; in the worst window {excess:0.0} more than the bound");
        excess.ShouldBeLessThanOrEqualTo(Jitter);
    }

    private static Task PublishAsync(RetryService service) => Task.WhenAll(Enumerable.Range(0, Messages).Select(_ => service.Bus.Publish(new Charge())));

    private async Task<bool> IsAsync(Uri address, string state) =>
        (await RunAsync(address, "breaker status payments --json")).Output.Contains($"\"state\":\"{state}\"", StringComparison.Ordinal);

    private async Task<(long Circuit, string State)> VersionAsync(Uri address)
    {
        var status = JsonDocument.Parse((await RunAsync(address, "breaker status payments --json")).Output).RootElement;
        return (status.GetProperty("version").GetInt64(), status.GetProperty("state").GetString()!);
    }

    private Task<(int ExitCode, string Output, string Error)> RunAsync(Uri address, string command) => CommandLineRun.RunAsync(address, node.Broker.ManagementUri, command);

    private static Task<RetryService> StartAsync(Uri address, Target target, LogLines log) => RetryService.StartAsync(
        address,
        (context, bus) => bus.ReceiveEndpoint("payments", endpoint =>
        {
            endpoint.PrefetchCount = 20;
            endpoint.UseGradientRetry(context, retry =>
            {
                retry.Fixed(TimeSpan.FromSeconds(1)).Retries(50);
                retry.Breaker(interval: Interval);
            });
            endpoint.Handler<Charge>(_ =>
            {
                target.Call(isBad: false);
                return Task.CompletedTask;
            });
        }),
        services: log.AddTo);

    public sealed record Charge;
}
