using System.Text;
using Microsoft.Extensions.Time.Testing;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Publishing;

public class RepublicationTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("x-death")]
    [InlineData("x-first-death-exchange")]
    [InlineData("x-first-death-queue")]
    [InlineData("x-last-death-reason")]
    [InlineData("x-delivery-count")]
    [InlineData("x-acquired-count")]
    [InlineData("x-opt-anything")]
    [InlineData("CC")]
    [InlineData("BCC")]
    public void What_the_broker_wrote_or_would_act_on_is_stripped(string name) =>
        Republication.Stripped(new BasicProperties { Headers = new Dictionary<string, object?> { [name] = "x" } }).Headers!.ShouldBeEmpty();

    /// <summary>Bytes that were no UTF-8 are read as characters of three bytes each; a name of 200 of them cannot be written any more.</summary>
    [Fact]
    public void What_cannot_be_written_is_left_out_and_does_not_take_the_channel_along()
    {
        var grown = new string('\uFFFD', 200);
        var original = new BasicProperties
        {
            CorrelationId = grown,
            MessageId = "m-1",
            Headers = new Dictionary<string, object?>
            {
                [grown] = 1,
                ["table"] = new Dictionary<string, object?> { ["list"] = new List<object?> { new Dictionary<string, object?> { [grown] = 1 } } },
                ["mine"] = "text",
            },
        };

        var properties = Republication.Stripped(original);

        properties.Headers!.Keys.ShouldBe(["mine"]);
        properties.CorrelationId.ShouldBeNull();
        properties.MessageId.ShouldBe("m-1");
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData("x", 0)]
    [InlineData(-1, 0)]
    [InlineData(0, 0)]
    [InlineData(3, 3)]
    [InlineData(3L, 3)]
    [InlineData(long.MaxValue, int.MaxValue)]
    [InlineData((byte)3, 3)]
    public void The_brokers_count_of_returns_is_read_whatever_is_there(object? count, int returns) =>
        Republication.Returns(new BasicProperties { Headers = new Dictionary<string, object?> { ["x-delivery-count"] = count } }).ShouldBe(returns);

    [Theory]
    [InlineData("x-tenant")]
    [InlineData("x-deadline")]
    [InlineData("cc")]
    [InlineData("traceparent")]
    [InlineData("MT-Activity-Id")]
    [InlineData("anything")]
    public void Every_other_header_goes_on_as_it_came(string name)
    {
        var value = new Dictionary<string, object?> { ["nested"] = new List<object?> { 1, "two"u8.ToArray() } };

        Republication.Stripped(new BasicProperties { Headers = new Dictionary<string, object?> { [name] = value } }).Headers![name].ShouldBeSameAs(value);
    }

    [Fact]
    public void Properties_stay_but_for_the_four_that_would_harm_the_copy()
    {
        var original = new BasicProperties
        {
            ContentType = "application/json",
            ContentEncoding = "gzip",
            DeliveryMode = DeliveryModes.Persistent,
            CorrelationId = "c",
            ReplyTo = "answers",
            MessageId = "m",
            Timestamp = new AmqpTimestamp(7),
            Type = "order",
            AppId = "shop",
            ClusterId = "eu",
            Priority = 9,
            Expiration = "60000",
            UserId = "guest",
            Headers = new Dictionary<string, object?> { ["CC"] = new List<object?> { "copy"u8.ToArray() } },
        };

        var copy = Republication.With(original, RetryState.Fresh with { Attempt = 2 }, "orders");

        copy.ContentType.ShouldBe("application/json");
        copy.ContentEncoding.ShouldBe("gzip");
        copy.DeliveryMode.ShouldBe(DeliveryModes.Persistent);
        copy.CorrelationId.ShouldBe("c");
        copy.ReplyTo.ShouldBe("answers");
        copy.MessageId.ShouldBe("m");
        copy.Timestamp.UnixTime.ShouldBe(7);
        copy.Type.ShouldBe("order");
        copy.AppId.ShouldBe("shop");
        copy.ClusterId.ShouldBe("eu");
        copy.IsPriorityPresent().ShouldBeFalse();
        copy.IsExpirationPresent().ShouldBeFalse();
        copy.IsUserIdPresent().ShouldBeFalse();
        copy.Headers!.ShouldNotContainKey("CC");
        copy.Headers![RetryHeaderNames.Attempt].ShouldBe(2);
        original.Headers.ShouldContainKey("CC"); // the delivery itself is left alone
        original.Priority.ShouldBe((byte)9);
    }

    [Fact]
    public void What_is_taken_off_is_kept()
    {
        var kept = Republication.Keep(
            new BasicProperties
            {
                Priority = 9,
                Expiration = "60000",
                UserId = "guest",
                Headers = new Dictionary<string, object?> { ["CC"] = new List<object?> { "copy"u8.ToArray(), "text", 7 }, ["BCC"] = "not a list" },
            },
            "shop",
            "order.created",
            Now);

        kept.Cc.ShouldBe(["copy", "text"]);
        (kept with { Cc = null }).ShouldBe(new KeptProperties { Exchange = "shop", RoutingKey = "order.created", Priority = 9, Expiration = "60000", UserId = "guest", ExpiresAt = Now });
    }

    [Theory]
    [InlineData("60000", 60_000L)]
    [InlineData("0", 0L)]
    [InlineData("99999999999999", (long)uint.MaxValue)]
    [InlineData("-1", null)]
    [InlineData("soon", null)]
    [InlineData("", null)]
    [InlineData("99999999999999999999999", null)]
    public void A_time_to_live_becomes_a_deadline(string expiration, long? milliseconds) =>
        Republication.ExpiresAt(new BasicProperties { Expiration = expiration }, new FakeTimeProvider(Now)).ShouldBe(milliseconds is { } ms ? Now.AddMilliseconds(ms) : null);

    [Theory]
    [InlineData("retry.v1.return", "orders", true)]
    [InlineData("retry.v1.tenths", "orders", true)]
    [InlineData("retry.v1.return", "invoices", false)]
    [InlineData("", "orders", false)]
    [InlineData("amq.topic", "orders", false)]
    [InlineData("retry.parking", "orders", false)]
    public void Our_headers_count_only_from_our_exchange_and_our_queue(string exchange, string origin, bool counts)
    {
        var properties = new BasicProperties
        {
            Headers = new Dictionary<string, object?> { [RetryHeaderNames.Origin] = Encoding.UTF8.GetBytes(origin), [RetryHeaderNames.Attempt] = 5 },
        };

        Republication.ReadState(properties, exchange, "orders").Attempt.ShouldBe(counts ? 5 : 1);
    }
}
