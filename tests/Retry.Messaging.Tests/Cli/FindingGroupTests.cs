using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Verification;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Verification;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Cli;

/// <summary>What has one cause and one next step is told once.</summary>
public sealed class FindingGroupTests
{
    [Fact]
    public void A_policy_that_cuts_47_rungs_is_one_finding_to_read()
    {
        var facts = HealthyBroker.Facts();
        facts = facts with { Queues = [.. facts.Queues.Select(queue => queue.Name.StartsWith("retry.v1.", StringComparison.Ordinal) && queue.Arguments.ContainsKey("x-message-ttl") ? queue.WithPolicy("message-ttl", 1_000L) : queue)] };
        var findings = TopologyComparison.Compare(TopologyPlan.Ladder, HealthyBroker.Points, facts);
        findings.Count.ShouldBe(47);

        var group = FindingGroup.Of(findings).ShouldHaveSingleItem();

        group.Subjects.ShouldEndWith(" and 45 more");
        group.Found.ShouldStartWith("message-ttl 1000 from policy 'spoiler'");
        group.Wanted.ShouldContain(" ms and 45 more");
    }

    [Fact]
    public void Points_that_lack_their_policy_are_one_finding_with_one_command()
    {
        List<RetryPointNames> points = [.. Enumerable.Range(1, 9).Select(i => RetryPointNames.For($"queue-{i}"))];
        var healthy = HealthyBroker.Facts();
        var plan = points.Aggregate(TopologyPlan.Ladder, (all, point) => all.Then(TopologyPlan.Point(point, withRelease: false)));
        var lot = healthy.Queues.Single(queue => queue.Name == "orders.parked");
        var facts = healthy with
        {
            Queues = [.. healthy.Queues, .. points.SelectMany(point => new[] { lot with { Name = point.Parked }, new QueueFact(point.Work, "classic") })],
            Bindings = [.. healthy.Bindings, .. plan.Bindings.Select(binding => new BindingFact(binding.Source, binding.Destination, binding.ToQueue, binding.RoutingKey))],
        };

        var findings = TopologyComparison.Compare(TopologyPlan.Ladder, points, facts);

        findings.Count.ShouldBe(9);
        FindingGroup.Of(findings).ShouldHaveSingleItem().NextStep.ShouldStartWith($"Run '{ApplyCommand.For(points.Select(point => point.Work))}', which");
    }

    [Fact]
    public void What_differs_in_one_queue_is_told_whole()
    {
        var group = FindingGroup.Of(Enumerable.Range(1, 5).Select(i => new TopologyFinding(TopologyFindingKind.Different, "queue 'retry.v1.2h'", $"argument {i}", "not set", "Delete it."))).ShouldHaveSingleItem();

        group.Found.ShouldBe("argument 1, argument 2, argument 3, argument 4, argument 5");
    }

    [Fact]
    public void What_has_another_next_step_is_told_by_itself() =>
        FindingGroup.Of(Enumerable.Range(1, 2).Select(i => new TopologyFinding(TopologyFindingKind.Missing, $"queue '{i}'", "none", "one", $"Start service {i}."))).Count.ShouldBe(2);
}
