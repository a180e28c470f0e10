using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Parking;
using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Topology;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Cli;

/// <summary><c>retryctl topology remove</c>: what nobody needs any more goes, and no message with it.</summary>
[Collection(OperatorBroker.Name)]
public sealed class TopologyRemoveTests(BrokerFixture broker)
{
    private const string Release = RawLot.Work + ".release";

    [Fact]
    public async Task A_point_that_is_gone_goes_when_it_holds_nothing()
    {
        await using var lot = await RawLot.CreateAsync(broker, withRelease: true);
        await lot.ParkAsync("one");
        await using (var service = await lot.Connection.CreateChannelAsync())
        {
            await service.BasicConsumeAsync(RawLot.Work, autoAck: true, new AsyncEventingBasicConsumer(service));
            await RefusedAsync(lot, "Queue 'payments' has 1 consumer, so its service runs");
        }

        await RefusedAsync(lot, "Queue 'payments.parked' holds 1 parked message.");
        await lot.DrainAsync(RawLot.Parked);
        await using (var limiter = await lot.Connection.CreateChannelAsync())
        {
            await limiter.BasicConsumeAsync(Release, autoAck: false, new AsyncEventingBasicConsumer(limiter));
            await RefusedAsync(lot, "Queue 'payments.release' has 1 consumer, because the point is limited or isolated.");
        }

        var (exitCode, output, error) = await RunAsync(lot, "--point payments");
        exitCode.ShouldBe(ExitCode.Done, error);
        output.ShouldContain("Removed 'payments.parked'.");
        await using var raw = await RawClient.ConnectAsync(lot.Address);
        (await raw.CountAsync(RawLot.Parked)).ShouldBeNull();
        (await raw.CountAsync(Release)).ShouldBeNull();
        (await raw.CountAsync(RawLot.Work)).ShouldBe(0u);

        (await RunAsync(lot, "--point payments")).ExitCode.ShouldBe(ExitCode.Usage);
        (await RunAsync(lot, "--release tpyo")).Error.ShouldContain("Found no queue 'tpyo.release'");
    }

    [Fact]
    public async Task What_was_on_its_way_to_a_release_queue_that_goes_comes_home()
    {
        await using var lot = await RawLot.CreateAsync(broker, withRelease: true);
        // routed before the binding went, and there only now
        var clock = new FastClock(6) { Waiting = pause => Arrive(pause, Release, "late") };
        var (exitCode, output, error) = await RunAsync(lot, "--release payments", clock);
        exitCode.ShouldBe(ExitCode.Done, error);
        output.ShouldContain("Removed 'payments.release'. 1 message that arrived meanwhile was sent on.");
        (await lot.WaitForCountAsync(RawLot.Work, 1)).ShouldBe(1u);

        // climbed for longer than that
        await lot.Channel.BasicPublishAsync(BrokerNames.ReturnExchange, $"0.0.0.0.0.0.0.0.{Release}", mandatory: true, new BasicProperties { MessageId = "later" }, "{}"u8.ToArray());
        (await lot.WaitForCountAsync(BrokerNames.LostQueue, 1)).ShouldBe(1u);
        var replay = await CommandLineRun.RunAsync(lot.Address, null, "lost replay --queue payments --yes");
        replay.ExitCode.ShouldBe(ExitCode.Done, replay.Error);
        await lot.WaitForCountAsync(RawLot.Work, 2);
        (await lot.DrainAsync(RawLot.Work)).Select(message => message.BasicProperties.MessageId).ShouldBe(["late", "later"]);

        void Arrive(TimeSpan pause, string queue, string id)
        {
            if (pause == QueueRemoval.SettleTime)
            {
                lot.Channel.BasicPublishAsync(string.Empty, queue, mandatory: true, new BasicProperties { MessageId = id }, "{}"u8.ToArray()).AsTask().GetAwaiter().GetResult();
            }
        }
    }

    [Fact]
    public async Task An_interrupted_removal_leaves_the_queue_bound()
    {
        await using var lot = await RawLot.CreateAsync(broker, withRelease: true);
        using var stop = new CancellationTokenSource();
        var clock = new FastClock(1)
        {
            Waiting = pause =>
            {
                if (pause == QueueRemoval.SettleTime)
                {
                    stop.Cancel();
                }
            },
        };
        var (exitCode, _, error) = await RunAsync(lot, "--release payments", clock, stop.Token);
        exitCode.ShouldBe(ExitCode.Failed);
        error.ShouldContain("Interrupted. Queue 'payments.release' is there and bound as before.");
        await lot.Channel.BasicPublishAsync(BrokerNames.ReturnExchange, $"0.0.0.0.0.0.0.0.{Release}", mandatory: true, "{}"u8.ToArray());
        (await lot.WaitForCountAsync(Release, 1)).ShouldBe(1u);
    }

    private static async Task RefusedAsync(RawLot lot, string why)
    {
        var (exitCode, _, error) = await RunAsync(lot, "--point payments");
        exitCode.ShouldBe(ExitCode.Failed);
        error.ShouldContain(why);
        error.ShouldContain("Nothing was removed.");
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(RawLot lot, string which, TimeProvider? clock = null, CancellationToken stop = default)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var host = new CliHost { Out = output, Error = error, Variable = name => name == "RETRY_BROKER" ? lot.Address.AbsoluteUri : null, Time = clock ?? new FastClock(6) };
        return (await RetryCtl.InvokeAsync($"topology remove {which} --yes".Split(' '), host, stop), output.ToString(), error.ToString());
    }
}
