using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Fakes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Lots;

/// <summary>How a lot is read: a clock, and no broker.</summary>
public sealed class LotReaderTests
{
    private const string Lot = "work.parked";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly QueueBroker _broker = QueueBroker.Create();
    private readonly WaitedClock _clock = new();

    [Fact]
    public async Task Reads_what_was_there_when_it_was_opened_and_gives_it_back()
    {
        Park(2500);
        var reader = await OpenAsync();
        _broker.Add(Lot, "later");

        var read = new List<string?>();
        await foreach (var message in reader.LookAsync(limit: null, progress: null, CancellationToken.None))
        {
            read.Add(message.MessageId);
        }

        // more than one consumer's prefetch holds
        read.ShouldBe(Enumerable.Range(0, 2500).Select(number => $"{number}"));
        _broker.ReadyIn(Lot).ShouldNotContain("0");
        await reader.DisposeAsync();
        _broker.ReadyIn(Lot).ShouldBe([.. Enumerable.Range(0, 2500).Select(number => $"{number}"), "later"]);
    }

    /// <summary>What is not selected is counted as it comes, and what is selected when it is read.</summary>
    [Fact]
    public async Task What_is_parked_meanwhile_and_not_asked_for_takes_nobodys_place()
    {
        Park(100);
        var reader = await OpenAsync(filter: ParkedFilter.All with { Also = static message => message.MessageId != "later" });
        for (var i = 0; i < 900; i++)
        {
            _broker.Add(Lot, "later");
        }

        var read = new List<string?>();
        await foreach (var message in reader.LookAsync(limit: null, progress: null, CancellationToken.None))
        {
            read.Add(message.MessageId);
        }

        read.ShouldBe(Enumerable.Range(0, 100).Select(number => $"{number}"));
        reader.Progress.ShouldBe(new ParkingProgress(Examined: 100, Total: 100, Selected: 100));
    }

    /// <summary>Who moves a set reads slowly, and what others park meanwhile is passed by at once.</summary>
    [Fact]
    public async Task All_of_a_set_that_has_come_is_read_however_much_is_parked_meanwhile()
    {
        Park(100);
        var set = new LotSet();
        var looking = await OpenAsync();
        await foreach (var message in looking.LookAsync(limit: null, progress: null, CancellationToken.None))
        {
            set.Add(message);
        }

        await looking.DisposeAsync();
        set.BeginReading();
        var reader = await OpenAsync(takesOut: true, of: set);
        for (var i = 0; i < 900; i++)
        {
            _broker.Add(Lot, "later");
        }

        var read = 0;
        await foreach (var delivery in reader.ReadAsync(progress: null, CancellationToken.None))
        {
            await reader.AcknowledgeAsync(delivery);
            read++;
        }

        read.ShouldBe(100);
        await reader.DisposeAsync();
        _broker.ReadyIn(Lot).Distinct().ShouldBe(["later"]);
    }

    [Fact]
    public async Task What_was_taken_out_does_not_come_back()
    {
        Park(3);
        var reader = await OpenAsync(takesOut: true);
        await foreach (var delivery in reader.ReadAsync(progress: null, CancellationToken.None))
        {
            if (delivery.Message!.MessageId == "1")
            {
                await reader.AcknowledgeAsync(delivery);
            }
        }

        await reader.DisposeAsync();

        _broker.ReadyIn(Lot).ShouldBe(["0", "2"]);
    }

    [Fact]
    public async Task Ends_when_another_reader_has_the_rest()
    {
        Park(5);
        var reader = await OpenAsync();
        // it comes between the count and the first consumer
        var other = await OpenAsync();
        await using var deliveries = other.ReadAsync(progress: null, CancellationToken.None).GetAsyncEnumerator();
        await deliveries.MoveNextAsync();

        var reading = reader.ReadAsync(progress: null, CancellationToken.None).GetAsyncEnumerator();
        var first = reading.MoveNextAsync().AsTask();
        // twice: a message may be on its way when it asks for the first time
        await _clock.NextAsync(Deadline);
        first.IsCompleted.ShouldBeFalse();
        await _clock.NextAsync(Deadline);

        (await first.WaitAsync(Deadline)).ShouldBeFalse();
        reader.Progress.Examined.ShouldBe(0);
    }

    [Fact]
    public async Task Gives_up_after_a_minute_in_which_the_broker_delivers_nothing_that_it_has()
    {
        Park(3);
        _broker.StallsAfter(0);
        var reader = await OpenAsync();

        var reading = reader.ReadAsync(progress: null, CancellationToken.None).GetAsyncEnumerator().MoveNextAsync().AsTask();
        await _clock.RunAsync(reading, static _ => Task.CompletedTask);

        (await reading.ShouldThrowAsync<ParkingException>()).Message.ShouldContain("has messages ready (3) but delivered none for 60 s, after 0 of 3");
    }

    [Fact]
    public async Task Says_how_far_it_was_when_its_consumers_are_ended()
    {
        Park(3);
        var reader = await OpenAsync();
        await using var reading = reader.ReadAsync(progress: null, CancellationToken.None).GetAsyncEnumerator();
        await reading.MoveNextAsync();
        await _broker.CancelConsumersAsync();

        // what has arrived is still read
        (await reading.MoveNextAsync()).ShouldBeTrue();
        (await reading.MoveNextAsync()).ShouldBeTrue();
        (await reading.MoveNextAsync()).ShouldBeFalse();

        _broker.StallsAfter(0);
        Park(1);
        var next = await OpenAsync();
        var waiting = next.ReadAsync(progress: null, CancellationToken.None).GetAsyncEnumerator().MoveNextAsync().AsTask();
        await _clock.AskedAsync(Deadline);
        await _broker.CancelConsumersAsync();
        (await waiting.WaitAsync(Deadline).ShouldThrowAsync<ParkingException>()).Message.ShouldContain("after 0 of 1 messages: the broker cancelled the consumer");
    }

    private void Park(int count)
    {
        for (var number = 0; number < count; number++)
        {
            _broker.Add(Lot, $"{number}");
        }
    }

    private Task<LotReader> OpenAsync(bool takesOut = false, ParkedFilter? filter = null, LotSet? of = null) => LotReader.OpenAsync(
        _broker.Connection,
        LotSource.ParkingLot(RetryPointNames.For("work")),
        new LotRequest(filter ?? ParkedFilter.All) { TakesOut = takesOut, Of = of },
        _clock,
        CancellationToken.None);
}
