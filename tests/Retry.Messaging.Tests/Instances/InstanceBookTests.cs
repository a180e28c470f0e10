using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Instances;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Instances;

public class InstanceBookTests
{
    private static readonly InstanceFacts NoFacts = new(DateTimeOffset.UnixEpoch, "1.0.0", "none", ".NET", null);
    private readonly InstanceBook _book = new();

    [Fact]
    public void Who_began_serves_its_queues_until_it_says_that_it_stops()
    {
        Began("orders", "a");
        Began("orders", "b");
        Began("mails", "a");
        _book.Serving("orders").ShouldBe(["a", "b"], ignoreOrder: true);

        Ended("a");

        _book.Serving("orders").ShouldBe(["b"]);
        _book.Serving("mails").ShouldBeEmpty();
        _book.Serving("nobody's").ShouldBeEmpty();
    }

    [Fact]
    public void What_was_on_its_way_when_an_instance_stopped_does_not_bring_it_back()
    {
        Began("orders", "a");
        Ended("a");
        Began("orders", "a");

        _book.Serving("orders").ShouldBeEmpty();
    }

    [Fact]
    public void Said_twice_it_serves_once()
    {
        Began("orders", "a");
        Began("orders", "a");

        _book.Serving("orders").ShouldBe(["a"]);
    }

    [Theory]
    [InlineData("retry.limiter.node", """{"instance":"a"}""")]
    [InlineData(InstanceDocument.BeganKind, "not JSON")]
    [InlineData(InstanceDocument.BeganKind, """{"instance":""}""")]
    [InlineData(InstanceDocument.BeganKind, "null")]
    public void A_stranger_s_record_is_passed_over(string kind, string body)
    {
        _book.Read(new ControlRecord(kind, "orders", 1, System.Text.Encoding.UTF8.GetBytes(body)));

        _book.Serving("orders").ShouldBeEmpty();
    }

    private void Began(string queue, string instance) => _book.Read(InstanceDocument.Began(new ServedPoint(queue), instance, NoFacts, "host:1", DateTimeOffset.UnixEpoch));

    private void Ended(string instance) => _book.Read(InstanceDocument.Ended(instance, "host:1", DateTimeOffset.UnixEpoch));
}
