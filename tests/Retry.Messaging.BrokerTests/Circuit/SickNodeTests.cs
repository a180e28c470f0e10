using MassTransit;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Circuit;

/// <summary>An instance that is ill while the target is not takes no messages, and the others do them.</summary>
[Collection(OperatorBroker.Name)]
public sealed class SickNodeTests(BrokerFixture broker, ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task An_instance_that_is_ill_stops_taking_and_comes_back_when_it_is_well()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        Target[] targets = [new(), new(), new()];
        await using var sick = await StartAsync(address, targets[0]);
        await using var two = await StartAsync(address, targets[1]);
        await using var three = await StartAsync(address, targets[2]);
        using var stop = new CancellationTokenSource();
        var sending = SendAsync(two, stop.Token);
        await Eventually.TrueAsync(() => targets.All(target => target.Done.Count > 30), Deadline);

        targets[0].IsIll = true;
        await Eventually.TrueAsync(() => targets[0].Failed.Count >= 12, Deadline);
        var twelfth = targets[0].Failed.ToArray()[11];
        await Scenario.PauseAsync(TimeSpan.FromSeconds(14));

        var late = targets[0].Failed.Where(at => at > twelfth + TimeSpan.FromSeconds(5)).ToList();
        output.WriteLine($"{targets[0].Failed.Count} failed, {late.Count} of them later than 5 s after the twelfth, the last before that {(targets[0].Failed.Last(at => !late.Contains(at)) - twelfth).TotalSeconds:0.0} s after it");
        late.Count.ShouldBeInRange(1, 9, "its probes");
        targets[1].Failed.Concat(targets[2].Failed).ShouldBeEmpty();
        (await RunAsync(address, "breaker status payments --json")).Output.ShouldContain("\"version\":0");

        targets[0].IsIll = false;
        var (well, before) = (DateTimeOffset.UtcNow, targets[0].Done.Count);
        await Eventually.TrueAsync(() => targets[0].Done.Count > before + 100, Deadline);
        output.WriteLine($"100 done {(DateTimeOffset.UtcNow - well).TotalSeconds:0.0} s after it was well");
        await stop.CancelAsync();
        var sent = await sending;
        await Eventually.TrueAsync(() => targets.Sum(target => target.Done.Count) >= sent, Deadline);
        await Eventually.TrueAsync(async () => await raw.CountAsync("payments") == 0, Deadline);
        targets.Sum(target => target.Done.Count).ShouldBe(sent);
        (await raw.CountAsync("payments.parked")).ShouldBe(0u);
    }

    private Task<(int ExitCode, string Output, string Error)> RunAsync(Uri address, string command) => CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, command);

    private static Task<RetryService> StartAsync(Uri address, Target target) => RetryService.StartAsync(address, (context, bus) => bus.ReceiveEndpoint("payments", endpoint =>
    {
        endpoint.PrefetchCount = 20;
        endpoint.UseGradientRetry(context, retry =>
        {
            retry.Fixed(TimeSpan.FromSeconds(1)).Retries(30);
            retry.Breaker(interval: Interval);
        });
        endpoint.Handler<Charge>(async charge =>
        {
            if (!target.IsIll)
            {
                // who fails at once takes more than the others
                await Simulate.WorkAsync(TimeSpan.FromMilliseconds(20), charge.CancellationToken);
            }

            target.Call(isBad: false);
        });
    }));

    private static async Task<int> SendAsync(RetryService service, CancellationToken cancellationToken)
    {
        var sent = 0;
        for (; !cancellationToken.IsCancellationRequested; sent++)
        {
            await service.Bus.Publish(new Charge(), CancellationToken.None);
            await Simulate.WorkAsync(TimeSpan.FromMilliseconds(10), CancellationToken.None);
        }

        return sent;
    }

    public sealed record Charge;
}
