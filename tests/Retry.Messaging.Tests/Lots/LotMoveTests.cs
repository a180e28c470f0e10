using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Fakes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Lots;

/// <summary>A set is moved in rounds.</summary>
public sealed class LotMoveTests
{
    private const string Lot = "work.parked";
    private static readonly LotSource Source = LotSource.ParkingLot(RetryPointNames.For("work"));
    private static readonly LotRequest All = new(ParkedFilter.All) { TakesOut = true };

    private readonly QueueBroker _broker = QueueBroker.Create();
    private readonly WaitedClock _clock = new();

    /// <summary>The broker gives back what an earlier reader held some time after that one has gone.</summary>
    [Fact]
    public async Task What_comes_back_after_a_round_is_moved_in_the_next()
    {
        Park(from: 0, to: 10);
        var move = new LotMove(_broker.Connection, Source, _clock, new Random(1));
        var set = await move.ReadAsync(All, progress: null, CancellationToken.None);
        await TakeAsync(5);
        var moved = new List<string?>();

        await RunAsync(move, set, moved, () =>
        {
            if (moved.Count == 5 && _broker.ConsumersOf(Lot) == 0 && _broker.ReadyIn(Lot).Count == 0)
            {
                Park(from: 0, to: 5);
            }
        });

        moved.ShouldBe(["5", "6", "7", "8", "9", "0", "1", "2", "3", "4"]);
    }

    [Fact]
    public async Task What_two_rounds_alone_have_not_met_was_taken_by_somebody()
    {
        Park(from: 0, to: 10);
        var move = new LotMove(_broker.Connection, Source, _clock, new Random(1));
        var set = await move.ReadAsync(All, progress: null, CancellationToken.None);
        await TakeAsync(5);
        Park(from: 10, to: 20);
        var moved = new List<string?>();

        await RunAsync(move, set, moved, static () => { });

        moved.ShouldBe(["5", "6", "7", "8", "9"]);
        set.Count.ShouldBe(5);
        _broker.ReadyIn(Lot).Count.ShouldBe(10);
    }

    private async Task RunAsync(LotMove move, LotSet set, List<string?> moved, Action passed)
    {
        var work = Task.Run(async () =>
        {
            await foreach (var message in move.RunAsync(All with { Of = set }, static _ => Task.FromResult(true), progress: null, CancellationToken.None))
            {
                moved.Add(message.MessageId);
            }
        });
        await _clock.RunAsync(work, _ =>
        {
            passed();
            return Task.CompletedTask;
        });
        await work;
    }

    private void Park(int from, int to)
    {
        for (var number = from; number < to; number++)
        {
            _broker.Add(Lot, $"{number}");
        }
    }

    private async Task TakeAsync(int count)
    {
        await using var reader = await LotReader.OpenAsync(_broker.Connection, Source, All, _clock, CancellationToken.None);
        await foreach (var delivery in reader.ReadAsync(progress: null, CancellationToken.None))
        {
            await reader.AcknowledgeAsync(delivery);
            if (--count == 0)
            {
                return;
            }
        }
    }
}
