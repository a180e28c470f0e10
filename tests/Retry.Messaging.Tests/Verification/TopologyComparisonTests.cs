using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Verification;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Topology;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Verification;

public sealed class TopologyComparisonTests
{
    private const string Rung = "retry.v1.30s";
    private const string Parked = "orders.parked";

    [Theory]
    [InlineData(1, "3.10.8", false)]
    [InlineData(1, "4.3.6", true)]
    [InlineData(3, "4.0.5", true)]
    [InlineData(5, "4.0.5", false)]
    public void Is_silent_about_a_healthy_broker(int nodes, string version, bool withRelease) =>
        Compare(HealthyBroker.Facts(nodes, version, withRelease)).ShouldBeEmpty();

    [Fact]
    public void Names_everything_that_is_missing_once()
    {
        var facts = HealthyBroker.Facts() with { Exchanges = [], Queues = [], Bindings = [] };
        Compare(facts).Where(finding => finding.Kind == TopologyFindingKind.Missing).Select(finding => finding.Subject).Distinct().Count().ShouldBe(11 + 60 + 2);
    }

    [Fact]
    public void Names_each_missing_binding()
    {
        foreach (var binding in HealthyBroker.Facts().Bindings.Where(binding => binding.Source.StartsWith("retry.", StringComparison.Ordinal)))
        {
            var facts = HealthyBroker.Facts();
            var found = Compare(facts with { Bindings = [.. facts.Bindings.Where(other => other != binding)] });
            found.ShouldContain(finding => finding.Kind == TopologyFindingKind.Missing && finding.Subject.Contains($"'{binding.Source}' -> '{binding.Destination}'", StringComparison.Ordinal), binding.ToString());
        }
    }

    [Fact]
    public void Notices_every_argument_of_every_queue()
    {
        foreach (var queue in TopologyPlan.Ladder.Queues)
        {
            foreach (var argument in queue.Arguments.Keys.Where(key => key != "x-queue-type"))
            {
                Compare(HealthyBroker.Facts().With(queue.Name, fact => fact.WithArgument(argument, null)))
                    .ShouldHaveSingleItem().Found.ShouldBe($"{argument} not set", queue.Name);
            }
        }
    }

    [Theory]
    [InlineData(Rung, "x-message-ttl", 60000L, "x-message-ttl 60000", "30000")]
    [InlineData(Rung, "x-dead-letter-strategy", "at-most-once", "x-dead-letter-strategy at-most-once", "at-least-once")]
    [InlineData(Rung, "x-overflow", "drop-head", "x-overflow drop-head", "reject-publish")]
    [InlineData(Rung, "x-delivery-limit", 20L, "x-delivery-limit 20", "2147483647")]
    [InlineData(Parked, "x-expires", 1000L, "x-expires 1000", "not set")]
    public void Says_found_and_wanted_of_an_argument(string queue, string key, object value, string found, string wanted)
    {
        var finding = Compare(HealthyBroker.Facts().With(queue, fact => fact.WithArgument(key, value))).ShouldHaveSingleItem();
        finding.Kind.ShouldBe(TopologyFindingKind.Different);
        finding.Subject.ShouldBe($"queue '{queue}'");
        finding.Found.ShouldBe(found);
        finding.Wanted.ShouldBe(wanted);
        finding.NextStep.ShouldContain("retryctl topology apply");
    }

    [Fact]
    public void Notices_a_classic_parking_lot_and_a_missing_alternate_exchange()
    {
        Compare(HealthyBroker.Facts().With(Parked, fact => fact with { Type = "classic" })).ShouldContain(finding => finding.Found == "type classic");
        var facts = HealthyBroker.Facts();
        Compare(facts with { Exchanges = [.. facts.Exchanges.Select(exchange => exchange.Name == BrokerNames.ReturnExchange ? exchange with { Arguments = new Dictionary<string, object?>() } : exchange)] })
            .ShouldHaveSingleItem().Found.ShouldBe("alternate-exchange not set");
    }

    [Theory]
    [InlineData(Rung, "message-ttl", 1000L, true)]
    [InlineData(Rung, "message-ttl", 30000L, false)]
    [InlineData(Rung, "message-ttl", 90000L, false)]
    [InlineData(Parked, "message-ttl", 90000000L, true)]
    [InlineData(Rung, "max-length", 10L, true)]
    [InlineData(Parked, "max-length-bytes", 10L, true)]
    [InlineData(Rung, "expires", 1000L, true)]
    [InlineData(Rung, "delivery-limit", 5L, true)]
    [InlineData(Rung, "dead-letter-routing-key", "x", true)]
    [InlineData(Parked, "dead-letter-exchange", "x", false)]
    [InlineData(Rung, "ha-mode", "all", false)]
    public void Names_a_policy_that_cuts_delays_or_drops(string queue, string key, object value, bool isHarmful)
    {
        foreach (var isOperators in (bool[])[false, true])
        {
            var found = Compare(HealthyBroker.Facts().With(queue, fact => fact.WithPolicy(key, value, isOperators)));
            if (!isHarmful)
            {
                found.ShouldBeEmpty();
                continue;
            }

            var finding = found.ShouldHaveSingleItem();
            finding.Kind.ShouldBe(TopologyFindingKind.Policy);
            finding.Found.ShouldContain($"{key} {value} from {(isOperators ? "operator policy 'operator-spoiler'" : "policy 'spoiler'")}");
        }
    }

    [Theory]
    [InlineData("retry.v1.return", "other", true, "*.*.*.*.*.*.*.*.orders")]
    [InlineData("retry.v1.return", "orders", true, "#")]
    [InlineData("retry.v1.s", "spy", true, "#")]
    [InlineData("retry.v1.lost", "spy", true, "")]
    [InlineData("retry.parking", "spy", true, "orders")]
    [InlineData("shop", "retry.v1.30s", true, "x")]
    [InlineData("shop", "retry.v1.return", false, "x")]
    public void Names_an_extra_binding(string source, string destination, bool toQueue, string key)
    {
        var facts = HealthyBroker.Facts();
        var finding = Compare(facts with { Bindings = [.. facts.Bindings, new BindingFact(source, destination, toQueue, key)] }).ShouldHaveSingleItem();
        finding.Kind.ShouldBe(TopologyFindingKind.ExtraBinding);
        finding.Subject.ShouldBe($"binding '{source}' -> '{destination}'");
    }

    [Theory]
    [InlineData("3.10.8", false, true)]
    [InlineData("3.10.8", true, false)]
    [InlineData("4.3.6", false, false)]
    public void Wants_the_feature_flag_where_it_can_be_off(string version, bool enabled, bool isFound) =>
        Compare(HealthyBroker.Facts(version: version) with { FeatureFlags = new Dictionary<string, bool> { ["stream_queue"] = enabled } }).Count.ShouldBe(isFound ? 1 : 0);

    [Fact]
    public void Counts_replicas_and_the_spread_of_leaders()
    {
        var alone = HealthyBroker.Facts(3);
        alone = alone with { Queues = [.. alone.Queues.Select(queue => queue with { Members = ["rabbit@n1"], Online = ["rabbit@n1"], Leader = "rabbit@n1" })] };
        Compare(alone).ShouldContain(finding => finding.Kind == TopologyFindingKind.Replicas && finding.Found == "1 replica" && finding.Wanted.StartsWith('3'));

        var crowded = HealthyBroker.Facts(3);
        crowded = crowded with { Queues = [.. crowded.Queues.Select(queue => queue with { Leader = "rabbit@n2" })] };
        Compare(crowded).ShouldHaveSingleItem().Found.ShouldBe("60 of 60 on node 'rabbit@n2'");
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void Names_a_destination_without_a_majority(int online, bool isFound)
    {
        var facts = HealthyBroker.Facts(3);
        var found = Compare(facts.With(HealthyBroker.Orders, fact => fact with { Online = [.. fact.Members.Take(online)] }));
        found.Any(finding => finding.Kind == TopologyFindingKind.Unavailable).ShouldBe(isFound);
    }

    [Fact]
    public void Names_a_destination_on_a_stopped_node() =>
        Compare(HealthyBroker.Facts().With(HealthyBroker.Orders, fact => Classic(fact) with { State = "down" })).ShouldContain(finding => finding.Kind == TopologyFindingKind.Unavailable && finding.Found == "state down");

    /// <summary>As a cluster on 3.10 tells it: bindings and policy of a classic queue are not listed while its node is stopped.</summary>
    [Fact]
    public void Asks_for_the_node_and_for_nothing_else_where_a_destination_is_on_a_stopped_one()
    {
        var facts = HealthyBroker.Facts(3).With(HealthyBroker.Orders, fact => Classic(fact) with { State = "down", Leader = "rabbit@n3", Policy = null, EffectivePolicy = new Dictionary<string, object?>() });
        facts = facts with { StoppedNodes = ["rabbit@n3"], Bindings = [.. facts.Bindings.Where(binding => binding.Destination != HealthyBroker.Orders)] };

        var finding = Compare(facts).ShouldHaveSingleItem();
        finding.Kind.ShouldBe(TopologyFindingKind.Unavailable);
        finding.Found.ShouldBe("its only node, 'rabbit@n3', is stopped");
    }

    [Theory]
    [InlineData("quorum", "reject-publish", false, true)]
    [InlineData("classic", "reject-publish-dlx", false, true)]
    [InlineData("quorum", "drop-head", false, false)]
    [InlineData("quorum", "reject-publish", true, false)]
    public void Names_a_destination_that_could_stall_others_unless_it_is_isolated(string type, string overflow, bool isolated, bool isFound)
    {
        var facts = HealthyBroker.Facts(withRelease: isolated).With(HealthyBroker.Orders, fact => (fact with { Type = type }).WithArgument("x-max-length", 100L).WithArgument("x-overflow", overflow));
        Compare(facts).Any(finding => finding.Kind == TopologyFindingKind.CouldStall).ShouldBe(isFound);
    }

    [Fact]
    public void Wants_what_the_broker_drops_to_be_parked()
    {
        var bare = HealthyBroker.Facts().With(HealthyBroker.Orders, fact => fact with { Policy = null, EffectivePolicy = new Dictionary<string, object?>() });
        var finding = Compare(bare).ShouldHaveSingleItem();
        finding.Kind.ShouldBe(TopologyFindingKind.BrokerParking);
        finding.Found.ShouldContain("dead-letter-exchange not set");
        finding.Found.ShouldContain("delivery-limit not set, which is 20");
        finding.NextStep.ShouldContain("retryctl topology apply --point orders");
        Compare(bare with { Version = "3.10.8" }).ShouldHaveSingleItem().Found.ShouldNotContain("delivery-limit");

        Compare(HealthyBroker.Facts().With(HealthyBroker.Orders, Classic)).ShouldBeEmpty("a classic queue needs exchange and key only");
        Compare(HealthyBroker.Facts().With(HealthyBroker.Orders, fact => fact.WithPolicy("delivery-limit", 20L))).ShouldHaveSingleItem().Found.ShouldBe("delivery-limit 20");
        Compare(HealthyBroker.Facts().With(HealthyBroker.Orders, fact => fact.WithArgument("x-dead-letter-exchange", "shop.dead"))).ShouldHaveSingleItem().Found.ShouldBe("dead-letter-exchange shop.dead");
    }

    [Fact]
    public void Finds_the_points_that_a_broker_has()
    {
        var facts = HealthyBroker.Facts(withRelease: true);
        facts = facts with
        {
            Bindings =
            [
                .. facts.Bindings,
                new BindingFact(BrokerNames.ReturnExchange, "eu.Orders", ToQueue: true, BrokerNames.ReturnPattern("eu.Orders")),
                new BindingFact(BrokerNames.ParkingExchange, "lot-of-invoices", ToQueue: true, "invoices"),
            ],
        };
        KnownPoints.Find(facts).Select(point => (point.Work, point.Parked)).ShouldBe([("eu.Orders", "eu.Orders.parked"), ("invoices", "lot-of-invoices"), ("orders", Parked)]);
    }

    [Theory]
    [InlineData(BrokerNames.ReturnExchange, "")]
    [InlineData(BrokerNames.ParkingExchange, "")]
    [InlineData(BrokerNames.ReturnExchange, BrokerNames.ParkingExchange)]
    public void Whoever_declares_the_way_back_is_told_to_name_every_point(params string[] gone)
    {
        var facts = TwoPoints();
        facts = facts with { Exchanges = [.. facts.Exchanges.Where(exchange => !gone.Contains(exchange.Name))], Bindings = [.. facts.Bindings.Where(binding => !gone.Contains(binding.Source))] };
        var found = TopologyComparison.Compare(TopologyPlan.Ladder, HealthyBroker.Points, facts);
        found.Count(finding => finding.Kind == TopologyFindingKind.Missing).ShouldBe(gone.Count(name => name.Length > 0));
        found.ShouldAllBe(finding => finding.NextStep == "Run 'retryctl topology apply --point eu.Orders --isolated orders'.");
        KnownPoints.Find(facts).Select(point => point.Work).ShouldBe(["eu.Orders", "orders"]);

        var stranger = new QueueFact("cars", "classic");
        KnownPoints.Find(TwoPoints() with { Queues = [.. TwoPoints().Queues, stranger, stranger with { Name = "cars.parked" }] }).Count.ShouldBe(2, "anybody may have a queue of that name");
    }

    [Fact]
    public void Whoever_replaces_the_way_back_is_told_to_name_every_point()
    {
        var facts = TwoPoints();
        facts = facts with { Exchanges = [.. facts.Exchanges.Select(exchange => exchange.Name == BrokerNames.ParkingExchange ? exchange with { Type = "fanout" } : exchange)] };
        Compare(facts).ShouldHaveSingleItem().NextStep.ShouldEndWith("then run 'retryctl topology apply --point eu.Orders --isolated orders'.");
    }

    [Fact]
    public void Wants_a_release_queue_where_it_is_told_that_the_point_has_one()
    {
        Compare(HealthyBroker.Facts()).ShouldBeEmpty();
        var finding = TopologyComparison.Compare(TopologyPlan.Ladder, HealthyBroker.Points, HealthyBroker.Facts(), [HealthyBroker.Orders]).ShouldHaveSingleItem();
        finding.Subject.ShouldBe("queue 'orders.release'");
        finding.NextStep.ShouldBe("Run 'retryctl topology apply --isolated orders'.");
    }

    [Theory]
    [InlineData("x-delivery-limit", 5L, "delivery-limit 5")]
    [InlineData("x-overflow", "drop-head", "overflow drop-head")]
    [InlineData("x-dead-letter-strategy", "at-most-once", "dead-letter-strategy at-most-once")]
    [InlineData("x-dead-letter-exchange", "shop.dead", "dead-letter-exchange shop.dead")]
    public void An_argument_that_wins_over_every_policy_is_said_to(string argument, object value, string found)
    {
        var finding = Compare(HealthyBroker.Facts().With(HealthyBroker.Orders, fact => fact.WithArgument(argument, value))).ShouldHaveSingleItem();
        finding.Found.ShouldBe(found);
        finding.NextStep.ShouldBe($"The queue's own argument {argument} '{value}' wins over any policy: take it out of the endpoint's queue arguments, delete the queue while it is empty, and let its service declare it anew. Then run 'retryctl topology apply --point orders', which writes the policy or prints it merged with the one that applies.");
    }

    [Fact]
    public void An_operator_policy_that_wins_over_every_policy_is_named()
    {
        var finding = Compare(HealthyBroker.Facts().With(HealthyBroker.Orders, fact => fact.WithPolicy("delivery-limit", 20L, isOperators: true))).ShouldHaveSingleItem();
        finding.Found.ShouldBe("delivery-limit 20 from operator policy 'operator-spoiler'");
        finding.NextStep.ShouldBe("Operator policy 'operator-spoiler' wins over any policy with a higher delivery-limit: raise it there to 1000 or more, or take it out.");
    }

    [Fact]
    public void Tells_the_worst_first()
    {
        var facts = HealthyBroker.Facts().With(HealthyBroker.Orders, fact => fact with { Policy = null, EffectivePolicy = new Dictionary<string, object?>() }).With(Rung, fact => fact.WithPolicy("message-ttl", 1L));
        facts = facts with { Queues = [.. facts.Queues.Where(queue => queue.Name != "retry.v1.5m")] };
        Compare(facts).Select(finding => finding.Kind).ShouldBe([TopologyFindingKind.Missing, TopologyFindingKind.Policy, TopologyFindingKind.BrokerParking]);
    }

    private static BrokerFacts TwoPoints()
    {
        var facts = HealthyBroker.Facts(withRelease: true);
        var plan = TopologyPlan.Point(RetryPointNames.For("eu.Orders"), withRelease: false);
        return facts with
        {
            Queues = [.. facts.Queues, .. plan.Queues.Select(queue => new QueueFact(queue.Name, "quorum") { Arguments = queue.Arguments }), new QueueFact("eu.Orders", "quorum")],
            Bindings = [.. facts.Bindings, .. plan.Bindings.Select(binding => new BindingFact(binding.Source, binding.Destination, binding.ToQueue, binding.RoutingKey))],
        };
    }

    private static QueueFact Classic(QueueFact fact) => fact with { Type = "classic", Members = [], Online = [], EffectivePolicy = WorkQueuePolicy.For(fact.Name, isQuorum: false).Definition, Arguments = new Dictionary<string, object?>() };

    private static IReadOnlyList<TopologyFinding> Compare(BrokerFacts facts) => TopologyComparison.Compare(TopologyPlan.Ladder, HealthyBroker.Points, facts);
}
