using Retry.Messaging.RabbitMq.Topology;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Topology;

public class TopologyDeclarerTests
{
    /// <summary>Between an exchange and its last binding what is published to it goes astray, so nothing slow is done there.</summary>
    [Fact]
    public void An_exchange_is_followed_at_once_by_all_its_bindings_to_what_is_there()
    {
        var plan = TopologyPlan.Ladder;
        var steps = TopologyDeclarer.Steps(plan, CancellationToken.None).Select(step => step.What).ToList();

        steps.Count.ShouldBe(plan.Exchanges.Count + plan.Queues.Count + plan.Bindings.Count);
        foreach (var exchange in plan.Exchanges)
        {
            var at = steps.IndexOf($"exchange '{exchange.Name}'");
            var bindings = plan.Bindings.Where(binding => binding.Source == exchange.Name).ToList();
            steps.Skip(at + 1).Take(bindings.Count).ShouldBe(bindings.Select(binding => $"binding '{binding.Source}' -> '{binding.Destination}'"));
            bindings.ShouldAllBe(binding => steps.IndexOf($"{(binding.ToQueue ? "queue" : "exchange")} '{binding.Destination}'") < at);
        }
    }

    /// <summary>A rung without the exchange it lets go to is a warning in the broker's log.</summary>
    [Fact]
    public void A_rung_comes_after_the_exchange_it_lets_go_to()
    {
        var steps = TopologyDeclarer.Steps(TopologyPlan.Ladder, CancellationToken.None).Select(step => step.What).ToList();
        var rungs = TopologyPlan.Ladder.Queues.Where(queue => queue.Arguments.ContainsKey("x-dead-letter-exchange")).ToList();

        rungs.Count.ShouldBe(57);
        rungs.ShouldAllBe(rung => steps.IndexOf($"exchange '{rung.Arguments["x-dead-letter-exchange"]}'") < steps.IndexOf($"queue '{rung.Name}'"));
    }
}
