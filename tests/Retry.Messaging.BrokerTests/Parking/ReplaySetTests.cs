using System.Collections.Concurrent;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Parking;

/// <summary>What a replay moves is what it read; and it goes where somebody takes it.</summary>
[Collection(LotBroker.Name)]
public sealed class ReplaySetTests(BrokerFixture broker)
{
    private const string Release = RawLot.Work + ".release";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Two_replays_at_once_move_what_was_there_and_nothing_that_is_parked_meanwhile()
    {
        const int Count = 1000;
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(Count);
        await using var other = await BrokerFixture.ConnectAsync(lot.Address);
        var sets = new[] { await ReadAsync(lot.Connection), await ReadAsync(other) };

        // a service whose target is still away: all that comes is parked again
        await using var failing = await lot.Connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        var consumer = new AsyncEventingBasicConsumer(failing);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            await failing.BasicPublishAsync(BrokerNames.ParkingExchange, RawLot.Work, mandatory: true, new BasicProperties(delivery.BasicProperties), delivery.Body.ToArray());
            await failing.BasicAckAsync(delivery.DeliveryTag, multiple: false);
        };
        await failing.BasicConsumeAsync(RawLot.Work, autoAck: false, consumer);

        var moved = new ConcurrentQueue<string>();
        await Task.WhenAll(ReplayAsync(lot.Connection, sets[0]), ReplayAsync(other, sets[1])).WaitAsync(Deadline);

        moved.Count.ShouldBe(Count);
        moved.Distinct().Count().ShouldBe(Count);
        // what the replays have moved is parked again one after the other
        (await lot.WaitForCountAsync(RawLot.Parked, Count)).ShouldBe((uint)Count);
        await failing.CloseAsync();

        async Task ReplayAsync(IConnection connection, LotSet set)
        {
            await foreach (var message in new ParkingLot(connection).ReplayAsync(RawLot.Work, ParkedFilter.All with { Shown = set }))
            {
                moved.Enqueue(message.Id);
            }
        }
    }

    /// <summary>A reader that has cancelled its consumer, and holds what it has read until its channel closes.</summary>
    [Fact]
    public async Task What_an_earlier_readers_end_has_not_given_back_yet_is_moved_too()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(10);
        var set = await ReadAsync(lot.Connection);
        var earlier = await lot.Connection.CreateChannelAsync();
        await earlier.BasicQosAsync(0, 5, global: false);
        var holds = new CountdownEvent(5);
        var consumer = new AsyncEventingBasicConsumer(earlier);
        consumer.ReceivedAsync += (_, _) => Task.FromResult(holds.Signal());
        await earlier.BasicCancelAsync(await earlier.BasicConsumeAsync(RawLot.Parked, autoAck: false, consumer));
        await Eventually.TrueAsync(() => holds.IsSet, Deadline);

        var moved = new List<string>();
        await foreach (var message in new ParkingLot(lot.Connection).ReplayAsync(RawLot.Work, ParkedFilter.All with { Shown = set }))
        {
            moved.Add(message.Id);
            if (moved.Count == 5)
            {
                await earlier.CloseAsync();
            }
        }

        moved.Distinct().Count().ShouldBe(10);
        await lot.WaitForCountAsync(RawLot.Parked, 0);
    }

    [Fact]
    public async Task Waits_for_what_somebody_else_holds_for_a_while()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(10);
        var set = await ReadAsync(lot.Connection);
        await using var other = await BrokerFixture.ConnectAsync(lot.Address);
        await using var holding = new ParkingLot(other).ListAsync(RawLot.Work, ParkedFilter.All).GetAsyncEnumerator();
        (await holding.MoveNextAsync()).ShouldBeTrue();

        var moved = 0;
        var replay = Task.Run(async () =>
        {
            await foreach (var _ in new ParkingLot(lot.Connection).ReplayAsync(RawLot.Work, ParkedFilter.All with { Shown = set }))
            {
                moved++;
            }
        });
        // it looks, finds nothing, and looks again
        await Never.TrueAsync(() => replay.IsCompleted, TimeSpan.FromSeconds(2), () => $"{replay.Status} with {moved} moved: {replay.Exception}");
        await holding.DisposeAsync();
        await replay.WaitAsync(Deadline);
        moved.ShouldBe(10);
    }

    [Fact]
    public async Task Discards_what_was_shown_and_nothing_that_was_parked_while_the_question_stood()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(3);
        using var output = new StringWriter();
        var host = new CliHost
        {
            Out = output,
            Error = TextWriter.Null,
            In = new Answer(() => lot.ParkAsync("later").GetAwaiter().GetResult()),
            InIsTerminal = true,
            Variable = name => name == "RETRY_BROKER" ? lot.Address.AbsoluteUri : null,
        };

        (await RetryCtl.InvokeAsync(["parked", "discard", RawLot.Work, "--all"], host)).ShouldBe(ExitCode.Done);
        output.ToString().ShouldContain("Discarded 3 messages");
        await lot.WaitForCountAsync(RawLot.Parked, 1);
        (await lot.DrainAsync(RawLot.Parked)).ShouldHaveSingleItem().BasicProperties.MessageId.ShouldBe("later");
    }

    [Fact]
    public async Task A_release_queue_that_nobody_consumes_is_passed_by_and_that_is_said()
    {
        await using var lot = await RawLot.CreateAsync(broker, withRelease: true);
        await lot.ParkAsync("one");
        await using var service = await lot.Connection.CreateChannelAsync();
        var consumer = new AsyncEventingBasicConsumer(service);
        var came = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            came.TrySetResult(delivery.BasicProperties.MessageId);
            return Task.CompletedTask;
        };
        await service.BasicConsumeAsync(RawLot.Work, autoAck: true, consumer);

        ReplayDestination? destination = null;
        var options = new ReplayOptions { DestinationFound = found => destination = found };
        await foreach (var _ in new ParkingLot(lot.Connection, time: new FastClock(8)).ReplayAsync(RawLot.Work, ParkedFilter.All, options))
        {
        }

        (await came.Task.WaitAsync(Deadline)).ShouldBe("one");
        destination.ShouldNotBeNull().Note.ShouldNotBeNull().ShouldContain("'retryctl topology remove --release payments'");
        (await lot.CountAsync(Release)).ShouldBe(0u);
    }

    [Fact]
    public async Task A_paused_point_keeps_its_replays_until_resume()
    {
        await using var lot = await RawLot.CreateAsync(broker, withRelease: true);
        await lot.ParkAsync("one");
        await using var service = await lot.Connection.CreateChannelAsync();
        await service.BasicConsumeAsync(RawLot.Work, autoAck: true, new AsyncEventingBasicConsumer(service));
        await new LimiterControl(lot.Connection).PauseAsync(RawLot.Work, "ann");

        var run = await CommandLineRun.RunAsync(lot.Address, null, $"parked replay {RawLot.Work} --all --yes");
        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Error.ShouldContain("Point 'payments' is paused by ann: the messages wait in 'payments.release' until 'retryctl limiter resume payments'.");
        (await lot.WaitForCountAsync(Release, 1)).ShouldBe(1u);
    }

    [Fact]
    public async Task Where_nobody_consumes_either_queue_the_replay_says_so_with_the_cure()
    {
        await using var lot = await RawLot.CreateAsync(broker, withRelease: true);
        await lot.ParkAsync("one");

        var run = await CommandLineRun.RunAsync(lot.Address, null, $"parked replay {RawLot.Work} --all --yes");
        run.ExitCode.ShouldBe(ExitCode.Finding, run.Error);
        run.Output.ShouldContain("Replayed 1 message");
        run.Error.ShouldContain("'retryctl limiter run --point payments'");
        (await lot.WaitForCountAsync(Release, 1)).ShouldBe(1u);
    }

    private static async Task<LotSet> ReadAsync(IConnection connection)
    {
        var set = new LotSet();
        await foreach (var message in new ParkingLot(connection).ListAsync(RawLot.Work, ParkedFilter.All))
        {
            set.Add(message);
        }

        return set;
    }

    private sealed class Answer(Action before) : TextReader
    {
        public override string? ReadLine()
        {
            before();
            return "y";
        }
    }
}
