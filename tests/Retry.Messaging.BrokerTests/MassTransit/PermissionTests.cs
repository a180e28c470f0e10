using MassTransit;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Configuration;
using Retry.Messaging.Naming;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>A service whose user may configure its own queues and exchanges only; an operator has declared the rest.</summary>
[Collection(SharedBroker.Name)]
public sealed class PermissionTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("Verify", false)]
    [InlineData("Verify", true)]
    [InlineData("OnStart", false)]
    public async Task Without_the_right_to_configure_it_retries_and_parks_what_an_operator_has_declared(string manage, bool isLimited)
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        using var management = new RawManagement(broker.Broker, address);
        await raw.DeclareQueueAsync("payments");
        var apply = await CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, $"topology apply {(isLimited ? "--isolated" : "--point")} payments");
        apply.ExitCode.ShouldBe(ExitCode.Done, apply.Output + apply.Error);
        var user = "limited-" + Guid.NewGuid().ToString("N");
        // a limiter declares the two streams that limiters share
        var streams = isLimited ? @"(?!v1\.(control|announcements)$)" : "";
        await management.SetUserAsync(user, "pass", mayConfigure: $@"^(?!retry\.{streams})(?!.*\.(parked|release)$).*$");
        try
        {
            var log = new LogLines();
            await using var service = await StartAsync(new UriBuilder(address) { UserName = user, Password = "pass" }.Uri, log, Enum.Parse<TopologyManagement>(manage), isLimited);
            await service.Bus.Publish(new Charge("1"));

            await raw.WaitForCountAsync(BrokerNames.ParkedQueue("payments"), 1, Deadline);
            (await raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
            var lines = log.Lines.Where(line => !line.Contains("is parked as Exhausted", StringComparison.Ordinal)).ToList();
            lines.RemoveAll(line => line.StartsWith("This service cannot tell whether other instances die: Queue 'retry.v1.instance.", StringComparison.Ordinal)).ShouldBe(1);
            // the pulse, the policies that operators set, and what climbs: each once
            lines.RemoveAll(line => line.StartsWith("Operators are without ", StringComparison.Ordinal)).ShouldBeInRange(1, 3);
            lines.ShouldAllBe(line => line.Contains("has no permission to declare", StringComparison.Ordinal), string.Join('\n', lines));
            (lines.Count > 0).ShouldBe(manage == "OnStart");
            lines.Count.ShouldBeLessThanOrEqualTo(2, "one for the ladder, one for the point");
        }
        finally
        {
            await management.DeleteUserAsync(user);
        }
    }

    private static Task<RetryService> StartAsync(Uri address, LogLines log, TopologyManagement manage, bool isLimited) => RetryService.StartAsync(
        address,
        (context, cfg) => cfg.ReceiveEndpoint("payments", e =>
        {
            e.SetQuorumQueue();
            e.UseGradientRetry(context, retry =>
            {
                retry.Fixed(TimeSpan.FromMilliseconds(300)).Retries(2);
                if (isLimited)
                {
                    retry.LimitRedelivery(perSecond: 100);
                }
            });
            e.Handler<Charge>(_ => throw new InvalidOperationException("down"));
        }),
        x => x.AddGradientRetry(retry => retry.ManageTopology = manage),
        services: log.AddTo);

    public sealed record Charge(string Id);
}
