using FsCheck;
using FsCheck.Fluent;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Cancelling;
using Retry.Messaging.RabbitMq.Topology;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Topology;

public class TopologyPlanTests
{
    private static readonly TopologyPlan Everything = TopologyPlan.Ladder
        .Then(TopologyPlan.Point(RetryPointNames.For("orders"), withRelease: false))
        .Then(TopologyPlan.Point(RetryPointNames.For("orders.eu"), withRelease: true))
        .Then(TopologyPlan.Point(RetryPointNames.For("0.orders"), withRelease: false));

    private static readonly string[] Destinations = ["orders", "orders.eu", "orders.eu.release", "0.orders"];

    [Fact]
    public void The_ladder_has_57_rungs_and_11_exchanges()
    {
        TopologyPlan.Ladder.Queues.Count(queue => queue.Arguments.ContainsKey("x-message-ttl")).ShouldBe(57);
        TopologyPlan.Rungs.Select(queue => queue.Name).Distinct().Count().ShouldBe(57);
        TopologyPlan.Ladder.Queues.Except(TopologyPlan.Rungs).Select(queue => queue.Name).ShouldBe([BrokerNames.LostQueue, BrokerNames.ScheduleQueue, BrokerNames.CancelledStream]);
        TopologyPlan.Ladder.Exchanges.Select(exchange => exchange.Name).Distinct().Count().ShouldBe(11);
        TopologyPlan.Ladder.Bindings.Distinct().Count().ShouldBe(TopologyPlan.Ladder.Bindings.Count);
    }

    [Fact]
    public void What_a_rung_dead_letters_to_is_declared_before_it()
    {
        var exchanges = Everything.Exchanges.Select(exchange => exchange.Name).ToList();
        foreach (var rung in Everything.Queues.Where(queue => queue.Arguments.ContainsKey("x-dead-letter-exchange")))
        {
            exchanges.ShouldContain((string)rung.Arguments["x-dead-letter-exchange"]!);
        }

        exchanges.IndexOf("retry.v1.return").ShouldBeLessThan(exchanges.IndexOf("retry.v1.tenths"));
        DelayLadder.Levels.Select(level => exchanges.IndexOf(BrokerNames.LevelExchange(level))).ShouldBeInOrder(SortDirection.Descending);
        TopologyPlan.Ladder.Exchanges[^1].Name.ShouldBe(BrokerNames.LostExchange); // nothing gets lost in it while the rest is declared again
    }

    [Fact]
    public void Rungs_are_declared_from_the_foot_up()
    {
        var delays = TopologyPlan.Ladder.Queues.Where(queue => queue.Arguments.ContainsKey("x-message-ttl")).Select(queue => (long)queue.Arguments["x-message-ttl"]!).ToList();

        delays.ShouldBeInOrder();
        delays[0].ShouldBe(100);
        delays[^1].ShouldBe(9L * 24 * 3600 * 1000);
    }

    [Fact]
    public void Every_queue_of_ours_is_replicated_unlimited_and_spread()
    {
        foreach (var queue in Everything.Queues.Where(queue => queue.Name != BrokerNames.CancelledStream))
        {
            queue.Arguments["x-queue-type"].ShouldBe("quorum", queue.Name);
            queue.Arguments["x-delivery-limit"].ShouldBe(int.MaxValue, queue.Name);
            queue.Arguments["x-queue-leader-locator"].ShouldBe("balanced", queue.Name);
        }
    }

    /// <summary>Its reader declares it where it is missing: with other arguments the broker would refuse that.</summary>
    [Fact]
    public void The_stream_of_the_cancelled_is_the_one_that_its_reader_would_declare() =>
        TopologyPlan.Ladder.Queues.Single(queue => queue.Name == BrokerNames.CancelledStream).Arguments.ShouldBe(CancellationLog.Retention.Arguments(), ignoreOrder: true);

    [Fact]
    public void Every_rung_is_at_least_once_and_refuses_rather_than_loses()
    {
        foreach (var rung in TopologyPlan.Rungs)
        {
            rung.Arguments["x-dead-letter-strategy"].ShouldBe("at-least-once", rung.Name);
            rung.Arguments["x-overflow"].ShouldBe("reject-publish", rung.Name);
            rung.Arguments.Keys.ShouldNotContain("x-dead-letter-routing-key", rung.Name); // the key carries the digits
            rung.Arguments.Keys.ShouldNotContain("x-expires", rung.Name);
        }
    }

    [Fact]
    public void Every_exchange_but_the_last_resort_has_it_as_its_alternate() =>
        Everything.Exchanges.Where(exchange => exchange.Name != BrokerNames.LostExchange)
            .ShouldAllBe(exchange => (string?)exchange.Arguments["alternate-exchange"] == BrokerNames.LostExchange);

    [Fact]
    public void A_work_queue_is_not_ours_to_declare_and_has_one_binding()
    {
        var point = TopologyPlan.Point(RetryPointNames.For("orders"), withRelease: true);

        point.Queues.Select(queue => queue.Name).ShouldBe(["orders.parked", "orders.release"]);
        point.Queues[1].Arguments["x-single-active-consumer"].ShouldBe(true);
        point.Bindings.Where(binding => binding.Destination == "orders").ShouldHaveSingleItem().RoutingKey.ShouldBe("*.*.*.*.*.*.*.*.orders");
        TopologyPlan.Point(RetryPointNames.For("orders"), withRelease: false).Queues.ShouldHaveSingleItem();
    }

    [Fact]
    public void Any_delay_walks_over_the_bindings_to_its_destination_and_takes_its_time() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(2_000),
            Prop.ForAll(Gen.Choose(0, 8_639_999).Zip(Gen.Elements(Destinations)).ToArbitrary(), input =>
            {
                var (steps, destination) = input;
                var route = DelayLadder.Route(DelayLadder.Step * steps, destination);
                var walk = new TopicSimulation(Everything).Walk(route.Exchange, route.RoutingKey);

                return walk.Queue == destination
                    && walk.Time == DelayLadder.Step * steps
                    && walk.Hops == route.RoutingKey.Split('.').Take(DelayLadder.LevelCount).Count(digit => digit != "0");
            }));

    [Theory]
    [InlineData("orders.fr")]
    [InlineData("order")]
    [InlineData("eu")]
    public void Without_its_destination_a_message_ends_among_the_lost_and_blocks_nobody(string destination)
    {
        var route = DelayLadder.Route(TimeSpan.FromSeconds(90), destination);

        new TopicSimulation(Everything).Walk(route.Exchange, route.RoutingKey).ShouldBe((BrokerNames.LostQueue, TimeSpan.FromSeconds(90), 2));
    }

    [Fact]
    public void With_a_rung_missing_a_message_leaves_the_ladder_at_once()
    {
        var broken = Everything with { Bindings = [.. Everything.Bindings.Where(binding => binding.Destination != "retry.v1.30s")] };
        var route = DelayLadder.Route(TimeSpan.FromSeconds(90), "orders");

        new TopicSimulation(broken).Walk(route.Exchange, route.RoutingKey).ShouldBe((BrokerNames.LostQueue, TimeSpan.FromSeconds(60), 1));
    }
}
