using System.Text;
using Retry.Messaging.Operations.Nodes;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Instances;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Nodes;

/// <summary>What operators are shown of what instances said.</summary>
public class NodeBookTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly InstanceFacts Facts = new(Now, "1.2.3", "MassTransit 8.5.12", ".NET 10.0.1", "build 7");

    [Fact]
    public void An_instance_is_shown_once_with_all_that_it_serves_as_it_said_last()
    {
        var nodes = NodeBook.Of(
        [
            Began("web-2:1", "b", new ServedPoint("orders")),
            Began("web-1:1", "a", new ServedPoint("orders") { Policy = "old" }),
            Began("web-1:1", "a", new ServedPoint("mails") { Prefetch = 16 }),
            Began("web-1:1", "a", new ServedPoint("orders") { Policy = "new", MessageTypes = ["Shop.Placed"] }, Now.AddHours(8)),
        ]);

        nodes.Select(node => node.By).ShouldBe(["web-1:1", "web-2:1"]);
        nodes[0].Points.Select(point => (point.Queue, point.Policy, point.Prefetch)).ShouldBe([("mails", null, 16), ("orders", "new", (int?)null)]);
        nodes[0].Points[1].MessageTypes.ShouldBe(["Shop.Placed"]);
        nodes[0].Facts.ShouldBe(Facts);
        nodes[0].SaidAt.ShouldBe(Now.AddHours(8));
    }

    [Fact]
    public void Who_has_said_that_it_stops_is_not_shown_whatever_was_still_on_its_way() =>
        NodeBook.Of([Began("web-1:1", "a", new ServedPoint("orders")), Ended("a"), Began("web-1:1", "a", new ServedPoint("mails"))]).ShouldBeEmpty();

    [Theory]
    [InlineData("retry.limiter.node", """{"instance":"a"}""")]
    [InlineData(InstanceDocument.BeganKind, "not JSON")]
    [InlineData(InstanceDocument.BeganKind, """{"instance":""}""")]
    public void What_is_no_announcement_of_an_instance_is_passed_over(string kind, string body) =>
        NodeBook.Of([new ControlRecord(kind, "orders", 1, Encoding.UTF8.GetBytes(body))]).ShouldBeEmpty();

    [Theory]
    [InlineData("""{"instance":"a"}""")]
    [InlineData("""{"instance":"a","point":{"queue":null,"messageTypes":null},"facts":null}""")]
    [InlineData("""{"instance":"a","point":{"queue":"another"},"unknown":1}""")]
    public void An_instance_of_another_version_is_shown_with_what_it_said(string body)
    {
        var node = NodeBook.Of([new ControlRecord(InstanceDocument.BeganKind, "orders", 1, Encoding.UTF8.GetBytes(body)) { By = "web-1:1" }]).ShouldHaveSingleItem();

        node.By.ShouldBe("web-1:1");
        var point = node.Points.ShouldHaveSingleItem();
        point.Queue.ShouldBe("orders");
        point.MessageTypes.ShouldBeEmpty();
    }

    private static ControlRecord Began(string by, string instance, ServedPoint point, DateTimeOffset? at = null) =>
        InstanceDocument.Began(point, instance, Facts, by, at ?? Now);

    private static ControlRecord Ended(string instance) => InstanceDocument.Ended(instance, "web-1:1", Now);
}
