using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Topology;

public class TopologyKeeperTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(40);
    private static readonly string[] Levels = [.. DelayLadder.Levels.Select(BrokerNames.LevelExchange)];

    [Fact]
    public void A_ladder_without_any_exchange_waits_until_every_service_has_looked()
    {
        TopologyKeeper.MustWait(Missing(Levels), TimeSpan.Zero, Grace).ShouldBeTrue();
        TopologyKeeper.MustWait(Missing([.. Levels, BrokerNames.LostExchange]), Grace - TimeSpan.FromTicks(1), Grace).ShouldBeTrue();
        TopologyKeeper.MustWait(Missing(Levels), Grace, Grace).ShouldBeFalse();
    }

    [Fact]
    public void One_that_still_moves_messages_into_the_lost_queue_is_mended_at_once() =>
        Levels.Select(left => TopologyKeeper.MustWait(Missing(Levels.Where(level => level != left)), TimeSpan.Zero, Grace)).ShouldAllBe(waits => !waits);

    [Fact]
    public void One_without_rungs_holds_nothing_to_wait_for() =>
        TopologyKeeper.MustWait(TopologyPlan.Ladder, TimeSpan.Zero, Grace).ShouldBeFalse();

    [Fact]
    public void The_grace_is_longer_than_the_longest_time_between_two_looks()
    {
        var rounds = new TopologyRounds();
        rounds.Grace.ShouldBeGreaterThan(rounds.Interval * 1.2);
    }

    private static TopologyPlan Missing(IEnumerable<string> exchanges) =>
        TopologyPlan.Nothing with { Exchanges = [.. TopologyPlan.Ladder.Exchanges.Where(exchange => exchanges.Contains(exchange.Name))] };
}
