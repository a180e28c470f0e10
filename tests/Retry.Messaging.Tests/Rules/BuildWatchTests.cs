using Retry.Messaging.Operations.Nodes;
using Retry.Messaging.Operations.Rules;
using Retry.Messaging.RabbitMq.Instances;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Rules;

/// <summary>Since when all instances of a point are of one build.</summary>
public class BuildWatchTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void All_that_are_there_count_and_one_that_is_of_another_build_begins_the_time_anew()
    {
        var watch = new BuildWatch();

        Look(0).ShouldBeNull("nobody is there");
        Look(1, Node("2"), Node("1")).ShouldBeNull();
        Look(2, Node("2"), Node("2"), Node("1", isThere: false), Node("1", point: "refunds")).ShouldBe(Start.AddSeconds(2));
        Look(3, Node("2")).ShouldBe(Start.AddSeconds(2));
        Look(4, Node("2"), Node("1")).ShouldBeNull("one came back");
        Look(5, Node("2"), Node(null)).ShouldBeNull("one does not say so");
        Look(6, Node("2")).ShouldBe(Start.AddSeconds(6));

        DateTimeOffset? Look(int second, params NodeSummary[] nodes) => watch.Look(nodes, "payments", "2", Start.AddSeconds(second));
    }

    private static NodeSummary Node(string? build, bool isThere = true, string point = "payments") => new(Guid.NewGuid().ToString("N"), "web-1:1")
    {
        IsThere = isThere,
        Facts = new InstanceFacts(Start, "1.0.0", "MassTransit 8.5.12", ".NET 10", build),
        Points = [new ServedPoint(point)],
    };
}
