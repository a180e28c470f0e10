using MassTransit;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Operations.Circuits;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Circuit;

/// <summary>A target that is ill is spared by all instances together.</summary>
[Collection(OperatorBroker.Name)]
public sealed class CircuitTests(BrokerFixture broker, ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task An_outage_opens_the_circuit_of_all_instances_and_it_closes_when_the_target_is_well()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        var target = new Target();
        await using var one = await StartAsync(address, target);
        await using var two = await StartAsync(address, target);
        await using var three = await StartAsync(address, target);
        using var stop = new CancellationTokenSource();
        var sending = SendAsync(one, stop.Token);
        await Eventually.TrueAsync(() => target.Done.Count > 100, Deadline);

        target.IsIll = true;
        await Eventually.TrueAsync(() => target.Failed.Count >= 12, Deadline);
        var twelfth = target.Failed.ToArray()[11];
        await Scenario.PauseAsync(TimeSpan.FromSeconds(14));
        var failed = target.Failed.ToArray();
        target.IsIll = false;
        var well = DateTimeOffset.UtcNow;

        // 2 s of pulses and judgement, then one probe a second
        var late = failed.Where(at => at > twelfth + TimeSpan.FromSeconds(2)).ToList();
        output.WriteLine($"{failed.Length} failed, {late.Count} of them later than 2 s after the twelfth");
        late.Count.ShouldBeInRange(5, 13);
        late.Zip(late.Skip(1), (before, after) => after - before).ShouldAllBe(between => between > Interval - TimeSpan.FromMilliseconds(300));

        await Eventually.TrueAsync(() => target.Done.Count(at => at > well) > 400, Deadline);
        output.WriteLine($"400 done {(DateTimeOffset.UtcNow - well).TotalSeconds:0.0} s after the target was well");
        await stop.CancelAsync();
        var sent = await sending;
        await Eventually.TrueAsync(() => target.Done.Count >= sent, Deadline, () => $"{target.Done.Count} of {sent} done");
        (await raw.CountAsync("payments.parked")).ShouldBe(0u);
        await Eventually.TrueAsync(async () => await raw.CountAsync("payments") == 0, Deadline);
        target.Done.Count.ShouldBe(sent);
    }

    [Fact]
    public async Task An_operator_opens_and_closes_a_circuit_and_leaves_it_to_the_outcomes()
    {
        var address = await broker.CreateVirtualHostAsync();
        var target = new Target();
        await using var service = await StartAsync(address, target);
        await service.Bus.Publish(new Charge());
        await Eventually.TrueAsync(() => target.Done.Count == 1, Deadline);

        (await RunAsync(address, "breaker open payments --why maintenance")).Output.ShouldContain("open by hand, and nothing is tried");
        for (var i = 0; i < 5; i++)
        {
            await service.Bus.Publish(new Charge());
        }

        // longer than several intervals
        await Scenario.PauseAsync(TimeSpan.FromSeconds(4));
        target.Done.Count.ShouldBe(1);
        var status = await RunAsync(address, "breaker status payments --json");
        status.Output.ShouldContain("\"why\":\"maintenance\"");
        status.Output.ShouldContain("\"isJudged\":true");

        (await RunAsync(address, "breaker auto payments")).ExitCode.ShouldBe(ExitCode.Done);
        await Eventually.TrueAsync(() => target.Done.Count == 6, Deadline);
        await Eventually.TrueAsync(
            async () => (await RunAsync(address, "breaker status payments --json")).Output.Contains("\"state\":\"Closed\"", StringComparison.Ordinal),
            Deadline,
            every: TimeSpan.FromSeconds(1));
        await using var connection = await BrokerFixture.ConnectAsync(address);
        var closed = (await new CircuitControl(connection, TimeProvider.System).ReadAsync("payments", default)).Document;
        (closed.OpenSince, closed.LastOpening is null).ShouldBe((null, false), "rules go by it");

        (await RunAsync(address, "breaker close payments")).Output.ShouldContain("closed by hand");
        target.IsIll = true;
        var failing = SendAsync(service, TimeSpan.FromSeconds(5));
        await failing;
        target.Failed.Count.ShouldBeGreaterThan(50, "whatever comes of it");
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task A_message_that_always_fails_keeps_no_circuit_open()
    {
        var address = await broker.CreateVirtualHostAsync();
        var target = new Target();
        var interval = TimeSpan.FromSeconds(5);
        await using var service = await StartAsync(address, target, interval, concurrency: 1);
        target.IsIll = true;
        await service.Bus.Publish(new Charge(IsBad: true));
        await SendAsync(service, TimeSpan.FromSeconds(3));
        await Eventually.TrueAsync(() => StateAsync(address, "Open"), Deadline, every: TimeSpan.FromSeconds(1));

        target.IsIll = false;
        var well = DateTimeOffset.UtcNow;

        await Eventually.TrueAsync(() => StateAsync(address, "Closed"), Deadline, every: TimeSpan.FromMilliseconds(500));
        var took = DateTimeOffset.UtcNow - well;
        output.WriteLine($"closed after {took.TotalSeconds:0.0} s");
        took.ShouldBeLessThan(interval * 3);
    }

    /// <summary>It deletes itself when nobody has used it for an hour, which is most of the time.</summary>
    [Fact]
    public async Task A_queue_of_permits_that_is_gone_is_made_anew()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        var target = new Target();
        await using var service = await StartAsync(address, target);
        await Eventually.TrueAsync(async () => await raw.CountAsync("retry.v1.permits.payments") is not null, Deadline);
        await DeleteAsync(raw, "retry.v1.permits.payments");

        target.IsIll = true;
        using var stop = new CancellationTokenSource();
        var sending = SendAsync(service, stop.Token);
        await Eventually.TrueAsync(() => StateAsync(address, "Open"), Deadline, every: TimeSpan.FromMilliseconds(500));
        await Eventually.TrueAsync(async () => await raw.CountAsync("retry.v1.permits.payments") is not null, Deadline);
        await DeleteAsync(raw, "retry.v1.permits.payments");
        var (deleted, before) = (DateTimeOffset.UtcNow, target.Failed.Count);
        await Eventually.TrueAsync(() => target.Failed.Count >= before + 2, Deadline, () => "no probe since the queue was deleted");
        (DateTimeOffset.UtcNow - deleted).ShouldBeLessThan(TimeSpan.FromSeconds(15));

        target.IsIll = false;
        await Eventually.TrueAsync(() => StateAsync(address, "Closed"), Deadline, every: TimeSpan.FromMilliseconds(500));
        await stop.CancelAsync();
        var sent = await sending;
        await Eventually.TrueAsync(() => target.Done.Count == sent, Deadline);
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task What_is_open_stays_open_while_connections_of_control_are_lost_and_closes_afterwards()
    {
        var address = await broker.CreateVirtualHostAsync();
        using var management = new RawManagement(broker.Broker, address);
        var target = new Target();
        await using var one = await StartAsync(address, target);
        await using var two = await StartAsync(address, target);
        target.IsIll = true;
        using var stop = new CancellationTokenSource();
        var sending = SendAsync(one, stop.Token);
        await Eventually.TrueAsync(() => StateAsync(address, "Open"), Deadline, every: TimeSpan.FromMilliseconds(500));
        var open = DateTimeOffset.UtcNow;

        for (var loss = 0; loss < 2; loss++)
        {
            // what the management API shows is up to five seconds old
            var closed = 0;
            await Eventually.TrueAsync(async () => (closed += await management.CloseConnectionsAsync("control")) >= 2, Deadline, every: TimeSpan.FromSeconds(1));
            await Scenario.PauseAsync(TimeSpan.FromSeconds(5));
        }

        var probes = target.Failed.Count(at => at > open);
        output.WriteLine($"{probes} probes in {(DateTimeOffset.UtcNow - open).TotalSeconds:0.0} s");
        probes.ShouldBeInRange(1, (int)((DateTimeOffset.UtcNow - open) / Interval) + 5, "each successor begins with a probe");
        target.IsIll = false;
        await Eventually.TrueAsync(() => StateAsync(address, "Closed"), Deadline, every: TimeSpan.FromMilliseconds(500));
        await stop.CancelAsync();
        var sent = await sending;
        await Eventually.TrueAsync(() => target.Done.Count == sent, Deadline);
    }

    private static async Task DeleteAsync(RawClient raw, string queue)
    {
        await using var channel = await raw.Connection.CreateChannelAsync();
        await channel.QueueDeleteAsync(queue, ifUnused: false, ifEmpty: false);
    }

    private async Task<bool> StateAsync(Uri address, string state) =>
        (await RunAsync(address, "breaker status payments --json")).Output.Contains($"\"state\":\"{state}\"", StringComparison.Ordinal);

    private Task<(int ExitCode, string Output, string Error)> RunAsync(Uri address, string command) => CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, command);

    private static async Task<int> SendAsync(RetryService service, TimeSpan time)
    {
        using var stop = new CancellationTokenSource(time);
        return await SendAsync(service, stop.Token);
    }

    private static Task<RetryService> StartAsync(Uri address, Target target, TimeSpan? interval = null, int? concurrency = null) => RetryService.StartAsync(address, (context, bus) => bus.ReceiveEndpoint("payments", endpoint =>
    {
        endpoint.PrefetchCount = 20;
        endpoint.ConcurrentMessageLimit = concurrency;
        endpoint.UseGradientRetry(context, retry =>
        {
            retry.Fixed(TimeSpan.FromSeconds(1)).Retries(5);
            retry.Breaker(interval: interval ?? Interval);
        });
        endpoint.Handler<Charge>(charge =>
        {
            target.Call(charge.Message.IsBad);
            return Task.CompletedTask;
        });
    }));

    private static async Task<int> SendAsync(RetryService service, CancellationToken cancellationToken)
    {
        var sent = 0;
        for (; !cancellationToken.IsCancellationRequested; sent++)
        {
            await service.Bus.Publish(new Charge(), CancellationToken.None);
            await Simulate.WorkAsync(TimeSpan.FromMilliseconds(20), CancellationToken.None);
        }

        return sent;
    }

    public sealed record Charge(bool IsBad = false);
}
