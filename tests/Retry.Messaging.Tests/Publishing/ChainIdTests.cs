using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Publishing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Publishing;

/// <summary>The id that a message gets at its first failure, and that its parked copy and its Fault are known by.</summary>
public class ChainIdTests
{
    private static readonly byte[] Body = "{}"u8.ToArray();

    public static TheoryData<string, Func<string>> Others => new()
    {
        { "another queue", () => Of(queue: "invoices") },
        { "another exchange", () => Of(exchange: "market") },
        { "another routing key", () => Of(routingKey: "order.changed") },
        { "another body", () => Of(body: "[]"u8.ToArray()) },
        { "another message id", () => Of(p => p.MessageId = "m-2") },
        { "no message id", () => Of(p => p.MessageId = null) },
        { "another correlation id", () => Of(p => p.CorrelationId = "c") },
        { "another type", () => Of(p => p.Type = "order") },
        { "another time", () => Of(p => p.Timestamp = new AmqpTimestamp(1_700_000_001)) },
        { "another header", () => Of(p => p.Headers!["tenant"] = "globex"u8.ToArray()) },
        { "a header less", () => Of(p => p.Headers!.Remove("tenant")) },
        { "another value within a header", () => Of(p => p.Headers!["nested"] = new Dictionary<string, object?> { ["list"] = new List<object?> { 1, 3L } }) },
        { "a value moved within a header", () => Of(p => p.Headers!["nested"] = new Dictionary<string, object?> { ["list"] = new List<object?> { 1 }, ["2"] = null }) },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public void Another_message_has_another_id(string what, Func<string> other) => other().ShouldNotBe(Of(), what);

    [Fact]
    public void A_message_has_the_same_id_whenever_it_is_delivered() =>
        Of(p =>
        {
            p.Headers!["x-delivery-count"] = 3L;
            p.Headers["x-death"] = new List<object?>();
        }).ShouldBe(Of());

    [Fact]
    public void A_message_that_cannot_be_read_leaves_nothing_in_the_next_ones_id()
    {
        Should.Throw<InvalidOperationException>(() => Of(p => p.Headers!["tenant"] = new Unreadable()));
        Of().ShouldBe(Of(p => p.MessageId = "m-1"));
        Of(body: new byte[200_000]).ShouldBe(Of(body: new byte[200_000]));
        Of(p => p.Headers!["tenant"] = new byte[200_000]).ShouldNotBe(Of());
        It_never_changes_between_versions();
    }

    [Fact]
    public async Task Many_threads_make_ids_at_a_time()
    {
        var body = new byte[200_000];
        var wanted = Of(body: body);

        var made = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () => Enumerable.Range(0, 200).Select(_ => Of(body: body)).ToList(),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));

        made.SelectMany(ids => ids).Distinct().ShouldBe([wanted]);
    }

    [Fact]
    public void It_never_changes_between_versions() => Of().ShouldBe("m-1-d6237f7723de");

    [Fact]
    public void It_begins_with_the_message_id_and_is_never_longer_than_a_header_of_ours()
    {
        Of(p => p.MessageId = new string('m', 255)).ShouldStartWith(new string('m', 115) + "-");
        Of(p => p.MessageId = new string('m', 255)).Length.ShouldBe(128);
        Of(p => p.MessageId = null).ShouldMatch("^h-[0-9a-f]{20}$");
    }

    [Fact]
    public void A_twin_that_is_known_to_be_another_message_gets_an_id_of_its_own()
    {
        ChainId.Another("m-1").ShouldMatch("^m-1-[0-9a-f]{12}$");
        ChainId.Another("m-1").ShouldNotBe(ChainId.Another("m-1"));
        ChainId.Another(null).ShouldMatch("^h-[0-9a-f]{20}$");
    }

    [Fact]
    public void An_id_is_given_once_among_the_newest_thousands()
    {
        var given = new GivenIds();
        given.Give("first").ShouldBeTrue();
        // more than one of its two halves holds
        for (var i = 0; i < 5000; i++)
        {
            given.Give($"{i}").ShouldBeTrue();
        }

        given.Give("first").ShouldBeFalse();
        given.Give("4999").ShouldBeFalse();
        for (var i = 5000; i < 13_000; i++)
        {
            given.Give($"{i}");
        }

        given.Give("first").ShouldBeTrue("the memory is bounded");
    }

    private static string Of(Action<BasicProperties>? change = null, string queue = "orders", string exchange = "shop", string routingKey = "order.placed", byte[]? body = null)
    {
        var properties = new BasicProperties
        {
            MessageId = "m-1",
            Timestamp = new AmqpTimestamp(1_700_000_000),
            Headers = new Dictionary<string, object?>
            {
                ["tenant"] = "acme"u8.ToArray(),
                ["nested"] = new Dictionary<string, object?> { ["list"] = new List<object?> { 1, 2L } },
            },
        };
        change?.Invoke(properties);
        return ChainId.Of(queue, exchange, routingKey, properties, body ?? Body);
    }

    private sealed class Unreadable
    {
        public override string ToString() => throw new InvalidOperationException();
    }
}
