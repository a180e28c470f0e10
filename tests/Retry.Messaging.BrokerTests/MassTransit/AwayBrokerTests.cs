using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.BrokerTests.Testing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>The broker is away for a minute and a half with thousands of outcomes on their way to it, more than fit into its socket.</summary>
[Trait("Category", "Long")]
public sealed class AwayBrokerTests(OwnNode node, ITestOutputHelper output) : IClassFixture<OwnNode>
{
    private const int Outcomes = 5000;
    private const int Padding = 4096;
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(90);

    [Fact]
    public Task Outcomes_are_safe_after_a_broker_has_stood_still() => ShouldLoseNothingAsync(async open =>
    {
        var process = node.Broker.ProcessId!.Value;
        await Signals.SuspendAsync(process, TimeSpan.FromSeconds(30));
        try
        {
            open();
            await Scenario.PauseAsync(Away);
        }
        finally
        {
            Signals.Send(process, Signals.Continue);
        }
    });

    [Fact]
    public Task Outcomes_are_safe_after_a_broker_was_killed_and_came_back() => ShouldLoseNothingAsync(async open =>
    {
        // the outcomes fill its socket before it dies
        await Signals.SuspendAsync(node.Broker.ProcessId!.Value, TimeSpan.FromSeconds(30));
        open();
        await Scenario.PauseAsync(TimeSpan.FromSeconds(5));
        await node.Broker.KillAsync();
        await Scenario.PauseAsync(Away);
        await node.Broker.RestartAsync();
    });

    private async Task ShouldLoseNothingAsync(Func<Action, Task> beAwayAsync)
    {
        await using var service = await SickService.StartAsync(await node.Broker.CreateVirtualHostAsync(), gated: true, messages: Outcomes, window: Outcomes);
        await service.PublishAsync(Padding);
        await service.WaitForRunsAsync();

        await beAwayAsync(service.Open);

        await service.ReconnectAsync();
        await service.ShouldHaveParkedAllAsync(forksAllowed: true);
        output.WriteLine($"{service.Runs} runs for {Outcomes} messages, {service.Parked} parked");
        service.Complaints.Count().ShouldBeLessThan(30);
    }
}
