using Retry.Messaging.Operations.Verification;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Verification;

public class BrokerAdviceTests
{
    [Fact]
    public void A_node_without_the_settings_is_named_and_is_no_finding()
    {
        var facts = HealthyBroker.Facts() with { NodesWithoutAdvancedConfig = ["rabbit@n1"] };
        BrokerAdvice.For(facts).ShouldHaveSingleItem().ShouldStartWith("node 'rabbit@n1' has no advanced.config");
        TopologyComparison.Compare(Messaging.RabbitMq.Topology.TopologyPlan.Ladder, HealthyBroker.Points, facts).ShouldBeEmpty();
    }

    [Fact]
    public void Several_are_told_in_one_line() =>
        BrokerAdvice.For(HealthyBroker.Facts(nodes: 3) with { NodesWithoutAdvancedConfig = ["rabbit@n1", "rabbit@n2"] })
            .ShouldHaveSingleItem().ShouldStartWith("2 nodes, 'rabbit@n1' to 'rabbit@n2', have no advanced.config");

    [Fact]
    public void Nothing_is_said_where_each_has_them() => BrokerAdvice.For(HealthyBroker.Facts()).ShouldBeEmpty();
}
