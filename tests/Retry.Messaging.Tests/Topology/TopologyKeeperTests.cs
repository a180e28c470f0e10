using Retry.Messaging.Configuration;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Fakes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Topology;

public sealed class TopologyKeeperTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(40);
    private static readonly string[] Levels = [.. DelayLadder.Levels.Select(BrokerNames.LevelExchange)];

    private readonly WaitedClock _clock = new();
    private readonly LogLines _log = new(string.Empty);

    public void Dispose() => _log.Dispose();

    [Fact]
    public void A_ladder_without_any_exchange_waits_until_every_service_has_looked()
    {
        TopologyMending.MustWait(Missing(Levels), TimeSpan.Zero, Grace).ShouldBeTrue();
        TopologyMending.MustWait(Missing([.. Levels, BrokerNames.LostExchange]), Grace - TimeSpan.FromTicks(1), Grace).ShouldBeTrue();
        TopologyMending.MustWait(Missing(Levels), Grace, Grace).ShouldBeFalse();
    }

    [Fact]
    public void One_that_still_moves_messages_into_the_lost_queue_is_mended_at_once() =>
        Levels.Select(left => TopologyMending.MustWait(Missing(Levels.Where(level => level != left)), TimeSpan.Zero, Grace)).ShouldAllBe(waits => !waits);

    [Fact]
    public void One_without_rungs_holds_nothing_to_wait_for() =>
        TopologyMending.MustWait(TopologyPlan.Ladder, TimeSpan.Zero, Grace).ShouldBeFalse();

    [Fact]
    public void The_grace_is_longer_than_the_longest_time_between_two_looks()
    {
        var rounds = new TopologyRounds();
        rounds.Grace.ShouldBeGreaterThan(rounds.Interval * 1.2);
    }

    [Fact]
    public async Task A_ladder_that_is_being_deleted_is_looked_at_again_and_not_taken_for_one_that_lost_a_part()
    {
        var broker = TopologyBroker.Create();
        var keeper = Keeper();
        await keeper.StartAsync(broker.Connection, Nothing, CancellationToken.None);
        await _clock.AskedAsync(Deadline);
        var before = broker.Declared.Count;

        broker.Delete(Levels[..2]);
        await _clock.NextAsync(Deadline);
        await _clock.AskedAsync(Deadline);
        broker.Delete(Levels);
        await _clock.NextAsync(Deadline);
        await _clock.AskedAsync(Deadline);

        broker.Declared.Skip(before).ShouldNotContain(name => Levels.Contains(name));
        _log.Written.ShouldHaveSingleItem().ShouldContain("All exchanges of the ladder have been deleted");
    }

    [Fact]
    public async Task What_was_deleted_while_a_service_was_not_connected_is_said_and_what_a_start_declares_is_not()
    {
        var first = TopologyBroker.Create();
        first.Delete(Levels[..1]);
        var keeper = Keeper();
        await keeper.StartAsync(first.Connection, Nothing, CancellationToken.None);
        first.Declared.ShouldContain(Levels[0]);
        _log.Written.ShouldBeEmpty();

        first.Close();
        var second = TopologyBroker.Create();
        second.Delete(Levels[..1]);
        await keeper.StartAsync(second.Connection, Nothing, CancellationToken.None);

        second.Declared.ShouldContain(Levels[0]);
        _log.Written.ShouldHaveSingleItem().ShouldContain($"was missing and has been declared again: exchange '{Levels[0]}'");
    }

    private TopologyKeeper Keeper() => new(TopologyManagement.OnStart, new TopologyRounds(), _clock, new Random(1), _log);

    private static void Nothing(Action call)
    {
    }

    private static TopologyPlan Missing(IEnumerable<string> exchanges) =>
        TopologyPlan.Nothing with { Exchanges = [.. TopologyPlan.Ladder.Exchanges.Where(exchange => exchanges.Contains(exchange.Name))] };
}
