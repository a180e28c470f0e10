using System.Text.Json;
using MassTransit;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Pulse;

/// <summary>What processes say of their points each second, as <c>retryctl points --watch</c> shows it.</summary>
[Collection(OperatorBroker.Name)]
public sealed class PulseTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_watch_shows_how_attempts_end_each_second()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var service = await StartAsync(address);
        await using var watch = new Watch(address, broker.Broker.ManagementUri);
        using var sending = new CancellationTokenSource();
        var sender = SendAsync(service, sending.Token);

        var activity = await watch.ActivityAsync("payments", point => Rate(point, "donePerSecond") > 0 && Rate(point, "errorPerSecond") > 0
            && Rate(point, "failPerSecond") > 0 && Rate(point, "timedOutPerSecond") > 0);

        activity.GetProperty("nodes").GetInt32().ShouldBe(1);
        // its consumer works for 20 ms
        Rate(activity, "medianMs").ShouldBeInRange(18, 2000);
        await sending.CancelAsync();
        await sender;
        await watch.ActivityAsync("payments", point => Rate(point, "donePerSecond") == 0 && point.GetProperty("inFlight").GetInt32() == 0);
    }

    [Fact]
    public async Task Who_may_not_listen_is_told_so_and_sees_the_points()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var service = await StartAsync(address);
        using var management = new RawManagement(broker.Broker, address);
        await management.SetUserAsync("watcher", "watcher", mayConfigure: "^$", mayWrite: "^$", tags: "monitoring");
        var reader = new UriBuilder(address) { UserName = "watcher", Password = "watcher" }.Uri;

        await using var watch = new Watch(reader, broker.Broker.ManagementUri, json: false);

        await watch.SaysAsync("The pulse cannot be heard");
        await watch.SaysAsync("retry.v1.listen.");
        await watch.SaysAsync("payments");
    }

    [Fact]
    public async Task A_process_has_one_connection_of_control_and_goes_on_without_it()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var service = await StartAsync(address);
        using var management = new RawManagement(broker.Broker, address);
        await using var watch = new Watch(address, broker.Broker.ManagementUri);
        await watch.ActivityAsync("payments", _ => true);

        (await management.CloseConnectionsAsync("control")).ShouldBe(1);

        await service.Bus.Publish(new Charge("done"));
        await service.Bus.Publish(new Charge("done"));
        // it comes back, and what was counted meanwhile is there
        await watch.ActivityAsync("mails", _ => true);
        await watch.ActivityAsync("payments", point => Rate(point, "donePerSecond") > 0);
    }

    private static double Rate(JsonElement point, string name) => point.TryGetProperty(name, out var rate) ? rate.GetDouble() : 0;

    private static Task<RetryService> StartAsync(Uri address) => RetryService.StartAsync(
        address,
        (context, bus) =>
        {
            bus.ReceiveEndpoint("payments", endpoint =>
            {
                endpoint.UseGradientRetry(context, retry =>
                {
                    retry.Fixed(TimeSpan.FromSeconds(1)).Retries(1);
                    retry.Fail<ArgumentException>();
                });
                endpoint.Handler<Charge>(async charge =>
                {
                    await Simulate.WorkAsync(TimeSpan.FromMilliseconds(20));
                    Exception? failure = charge.Message.Ends switch
                    {
                        "error" => new InvalidOperationException("the gateway is away"),
                        "fail" => new ArgumentException("declined"),
                        "slow" => new TimeoutException("the gateway does not answer"),
                        _ => null,
                    };
                    if (failure is not null)
                    {
                        throw failure;
                    }
                });
            });
            bus.ReceiveEndpoint("mails", endpoint => endpoint.Handler<Mail>(_ => Task.CompletedTask));
        });

    private static async Task SendAsync(RetryService service, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            foreach (var ends in new[] { "done", "error", "fail", "slow" })
            {
                await service.Bus.Publish(new Charge(ends), CancellationToken.None);
            }

            await Simulate.WorkAsync(TimeSpan.FromMilliseconds(100), CancellationToken.None);
        }
    }

    public sealed record Charge(string Ends);

    public sealed record Mail(string To);
}
