using System.Text.RegularExpressions;
using Retry.Messaging.Operations.Verification;
using Retry.Messaging.RabbitMq.Management;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Verification;

public sealed class WorkQueuePolicyTests
{
    [Theory]
    [InlineData("orders", "orders2")]
    [InlineData("eu.Orders", "euxOrders")]
    [InlineData("a+b(c)[d]$^|?*{1}\\", "aab")]
    [InlineData("Größe # 1", "Größe")]
    public void The_pattern_matches_the_queue_and_no_other(string queue, string other)
    {
        var pattern = WorkQueuePolicy.For(queue, isQuorum: true).Pattern;
        Regex.IsMatch(queue, pattern).ShouldBeTrue();
        Regex.IsMatch(other, pattern).ShouldBeFalse();
    }

    [Fact]
    public void The_command_can_be_pasted_into_a_shell() =>
        WorkQueuePolicy.For("it's", isQuorum: false).Command("/").ShouldBe(
            """rabbitmqctl set_policy --vhost '/' --priority 0 --apply-to queues 'retry.parking:it'\''s' '^it'\''s$' '{"dead-letter-exchange":"retry.parking","dead-letter-routing-key":"it'\''s"}'""");

    [Fact]
    public void Writes_where_nothing_applies_yet()
    {
        var result = WorkQueuePolicyWriter.Decide(new QueueFact("eu.Orders", "quorum"), []);
        result.Outcome.ShouldBe(WorkQueuePolicyOutcome.Written);
        result.Policy!.Pattern.ShouldBe("^eu\\.Orders$");
        result.Policy.DefinitionJson.ShouldBe("""{"dead-letter-exchange":"retry.parking","dead-letter-routing-key":"eu.Orders","dead-letter-strategy":"at-least-once","delivery-limit":1000,"overflow":"reject-publish"}""");
    }

    [Fact]
    public void A_classic_queue_gets_no_key_that_would_void_the_policy() =>
        WorkQueuePolicyWriter.Decide(new QueueFact("orders", "classic"), []).Policy!.Definition.Keys.ShouldBe(["dead-letter-exchange", "dead-letter-routing-key"]);

    [Fact]
    public void A_queue_that_holds_only_so_much_keeps_its_overflow() =>
        WorkQueuePolicyWriter.Decide(new QueueFact("orders", "quorum") { Arguments = new Dictionary<string, object?> { ["x-max-length"] = 10L } }, [])
            .Policy!.Definition.Keys.ShouldBe(["dead-letter-exchange", "dead-letter-routing-key", "delivery-limit"]);

    [Fact]
    public void Merges_with_the_policy_that_applies_and_says_what_it_replaces()
    {
        var theirs = new PolicyFact("house", ".*", "all", 7, new Dictionary<string, object?> { ["max-length"] = 500L, ["dead-letter-exchange"] = "house.dead", ["delivery-limit"] = 5000L });
        var result = WorkQueuePolicyWriter.Decide(new QueueFact("orders", "quorum") { Policy = "house", EffectivePolicy = theirs.Definition }, [theirs]);
        result.Outcome.ShouldBe(WorkQueuePolicyOutcome.Merged);
        result.Policy!.Priority.ShouldBe(8);
        result.Policy.DefinitionJson.ShouldBe("""{"dead-letter-exchange":"retry.parking","dead-letter-routing-key":"orders","delivery-limit":5000,"max-length":500}""");
        result.Message.ShouldContain("replaces dead-letter-exchange 'house.dead'");
    }

    [Theory]
    [InlineData(-1, -1)]
    [InlineData(0, 1000)]
    [InlineData(999, 1000)]
    [InlineData(1000, 1000)]
    [InlineData(5000, 5000)]
    public void A_merged_policy_replaces_only_a_limit_that_is_too_low(long theirs, long merged)
    {
        var policy = new PolicyFact("house", ".*", "all", 7, new Dictionary<string, object?> { ["delivery-limit"] = theirs });
        var result = WorkQueuePolicyWriter.Decide(new QueueFact("orders", "quorum") { Policy = "house", EffectivePolicy = policy.Definition }, [policy]);
        result.Policy!.Definition["delivery-limit"].ShouldBe(merged);
        result.Message.Contains("replaces delivery-limit", StringComparison.Ordinal).ShouldBe(merged != theirs);
    }

    [Fact]
    public void Touches_nothing_that_is_there_already()
    {
        var wanted = WorkQueuePolicy.For("orders", isQuorum: true);
        var byPolicy = new QueueFact("orders", "quorum") { Policy = wanted.Name, EffectivePolicy = wanted.Definition };
        WorkQueuePolicyWriter.Decide(byPolicy, [new PolicyFact(wanted.Name, wanted.Pattern, "queues", 3, wanted.Definition)]).Outcome.ShouldBe(WorkQueuePolicyOutcome.AlreadyThere);

        var byArguments = new QueueFact("orders", "quorum") { Arguments = wanted.Definition.ToDictionary(item => "x-" + item.Key, item => item.Value) };
        WorkQueuePolicyWriter.Decide(byArguments, []).Outcome.ShouldBe(WorkQueuePolicyOutcome.AlreadyThere);
    }

    [Fact]
    public void Says_when_an_argument_is_in_the_way()
    {
        var queue = new QueueFact("orders", "quorum") { Arguments = new Dictionary<string, object?> { ["x-dead-letter-exchange"] = "house.dead" } };
        var result = WorkQueuePolicyWriter.Decide(queue, []);
        result.Outcome.ShouldBe(WorkQueuePolicyOutcome.InTheWay);
        result.Message.ShouldContain("'house.dead'");
    }

    [Fact]
    public void Writes_for_the_other_keys_where_an_argument_wins_and_says_that_it_does_not_reach_all()
    {
        var queue = new QueueFact("orders", "quorum") { Arguments = new Dictionary<string, object?> { ["x-delivery-limit"] = 5L } };
        var first = WorkQueuePolicyWriter.Decide(queue, []);
        first.Outcome.ShouldBe(WorkQueuePolicyOutcome.Written);
        first.IsDone.ShouldBeFalse();
        first.Message.ShouldContain("own argument x-delivery-limit '5' wins over any policy");

        var ours = new PolicyFact(first.Policy!.Name, first.Policy.Pattern, "queues", 0, first.Policy.Definition);
        var again = WorkQueuePolicyWriter.Decide(queue with { Policy = ours.Name, EffectivePolicy = ours.Definition }, [ours]);
        again.Outcome.ShouldBe(WorkQueuePolicyOutcome.InTheWay, "it is not written again and again");
        again.IsDone.ShouldBeFalse();
        again.Message.ShouldContain("found delivery-limit 5, wanted delivery-limit 1000 or more, which no policy can set");
    }

    [Fact]
    public void Says_when_an_operator_policy_is_in_the_way()
    {
        var operators = new Dictionary<string, object?> { ["delivery-limit"] = 20L };
        var ours = WorkQueuePolicy.For("orders", isQuorum: true);
        var queue = new QueueFact("orders", "quorum") { Policy = ours.Name, OperatorPolicy = "house rules", OperatorDefinition = operators, EffectivePolicy = EffectiveSettings.Merge(ours.Definition, operators) };
        var result = WorkQueuePolicyWriter.Decide(queue, [new PolicyFact(ours.Name, ours.Pattern, "queues", 0, ours.Definition)]);
        result.Outcome.ShouldBe(WorkQueuePolicyOutcome.InTheWay);
        result.Message.ShouldContain("Operator policy 'house rules' wins over any policy with a higher delivery-limit");
    }

    [Fact]
    public void Says_nothing_of_a_way_that_verification_does_not_accept()
    {
        var queue = new QueueFact("orders", "classic") { Arguments = new Dictionary<string, object?> { ["x-dead-letter-exchange"] = "house.dead" } };
        WorkQueuePolicyWriter.Decide(queue, []).Message.ShouldNotContain("bind");
    }
}
