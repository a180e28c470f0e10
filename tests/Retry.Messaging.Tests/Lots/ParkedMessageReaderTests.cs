using System.Text;
using RabbitMQ.Client;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Lots;

public sealed class ParkedMessageReaderTests
{
    private static readonly RetryPointNames Names = RetryPointNames.For("payments");

    [Theory]
    [InlineData("expired", "Expired")]
    [InlineData("delivery_limit", "Poison")]
    [InlineData("rejected", "Failed")]
    [InlineData("maxlen", "Undeliverable")]
    [InlineData("something-new", "something-new")]
    public void Takes_the_reason_of_the_broker(string word, string reason)
    {
        var message = Read(Death("payments", word));
        message.Reason.Name.ShouldBe(reason);
        message.BrokerReason.ShouldBe(word);
        message.ParkedAt.ShouldBe(DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));
    }

    [Fact]
    public void Does_not_take_the_time_on_a_rung_for_the_cause()
    {
        var message = Read(Death("retry.v1.30s", "expired", ("payments", "rejected")));
        message.Reason.ShouldBe(ParkReason.Failed);
        Read(Death("retry.v1.30s", "expired")).Reason.ShouldBe(default);
    }

    [Fact]
    public void Our_own_reason_counts_more_than_the_brokers()
    {
        var headers = Death("payments", "rejected");
        RetryHeaderWriter.Write(headers, new RetryState { Id = "x", Attempt = 3, Reason = ParkReason.Exhausted }, "payments");
        var message = Read(headers);
        (message.Id, message.Reason, message.Attempts, message.BrokerReason).ShouldBe(("x", ParkReason.Exhausted, 2, null));
    }

    [Fact]
    public void Headers_that_another_queue_wrote_do_not_count()
    {
        var headers = new Dictionary<string, object?>();
        RetryHeaderWriter.Write(headers, new RetryState { Id = "x", Attempt = 3, Reason = ParkReason.Exhausted }, "orders");
        var message = Read(headers);
        message.Id.ShouldStartWith("h-");
        message.Reason.ShouldBe(default);
        message.Attempts.ShouldBe(0);
    }

    [Fact]
    public void The_id_begins_with_the_publishers_and_differs_where_that_is_repeated()
    {
        var first = ParkedMessageReader.Read(new BasicProperties { MessageId = "m-1" }, "a"u8.ToArray(), Names).Id;
        first.ShouldStartWith("m-1-");
        ParkedMessageReader.Read(new BasicProperties { MessageId = "m-1" }, "a"u8.ToArray(), Names).Id.ShouldBe(first);
        ParkedMessageReader.Read(new BasicProperties { MessageId = "m-1" }, "b"u8.ToArray(), Names).Id.ShouldNotBe(first);
    }

    [Fact]
    public void A_derived_id_is_the_same_at_every_reading_and_differs_by_body_and_time()
    {
        var first = Read(Death("payments", "rejected"), "a");
        Read(Death("payments", "rejected"), "a").Id.ShouldBe(first.Id);
        Read(Death("payments", "rejected"), "b").Id.ShouldNotBe(first.Id);
        Read(Death("payments", "rejected", at: 1_800_000_001), "a").Id.ShouldNotBe(first.Id);
    }

    [Theory]
    [InlineData("""{"messageId":"1","messageType":["urn:message:Shop.Payments:ChargeCard","urn:message:Shop:ICharge"]}""", "Shop.Payments.ChargeCard")]
    [InlineData("""{"headers":{"messageType":["no"]},"messageType":["urn:message:Shop:Charge"],"message":{}}""", "Shop.Charge")]
    [InlineData("""{"messageType":"not a list"}""", null)]
    [InlineData("""{"messageType":[]}""", null)]
    [InlineData("""{"messageType":[3]}""", null)]
    [InlineData("{\"messageType", null)]
    [InlineData("{", null)]
    [InlineData("[]", null)]
    [InlineData("", null)]
    [InlineData("plain text", null)]
    public void Finds_the_type_in_the_envelope(string body, string? type) => Read([], body).MessageType.ShouldBe(type);

    [Fact]
    public void Finds_the_type_in_MassTransits_headers_first() =>
        Read(new() { ["MT-Fault-MessageType"] = "Shop.Charge"u8.ToArray() }, """{"messageType":["urn:message:Shop:Other"]}""").MessageType.ShouldBe("Shop.Charge");

    [Theory]
    [MemberData(nameof(Garbage))]
    public void Garbage_in_any_header_breaks_nothing(object? garbage)
    {
        string[] names =
        [
            RetryHeaderNames.Id, RetryHeaderNames.Attempt, RetryHeaderNames.FirstFailedAt, RetryHeaderNames.Error, RetryHeaderNames.History, RetryHeaderNames.Reason, RetryHeaderNames.Replayed,
            RetryHeaderNames.Plan, RetryHeaderNames.Kept, "x-death", "MT-Fault-Timestamp", "MT-Fault-ExceptionType", "MT-Fault-Message", "MT-Fault-MessageType", "MT-MessageType",
        ];
        var headers = names.ToDictionary(name => name, _ => garbage);
        headers[RetryHeaderNames.Origin] = "payments";

        var message = Read(headers);

        message.Id.ShouldNotBeNullOrEmpty();
        message.Headers.Count.ShouldBe(names.Length + 1);
        ParkedFilter.All.Matches(message).ShouldBeTrue();
        ReplayedCopy.Of(message, new BasicProperties { Headers = headers }, "plan", "payments").Headers![RetryHeaderNames.Attempt].ShouldBe(1);
    }

    public static TheoryData<object?> Garbage() =>
    [
        null, -1, long.MinValue, 3.5, double.NaN, "text", true, new byte[] { 0xFF, 0x00, 0x1B }, new List<object?> { null, new byte[] { 1 }, new Dictionary<string, object?>() },
        new Dictionary<string, object?> { ["reason"] = 1 }, new List<object?> { new Dictionary<string, object?> { ["reason"] = "x"u8.ToArray(), ["queue"] = 5 } }, new AmqpTimestamp(long.MaxValue),
    ];

    [Fact]
    public void A_replayed_copy_starts_anew_and_remembers_its_plan()
    {
        var headers = new Dictionary<string, object?> { ["MT-Fault-Message"] = "m", ["MT-Reason"] = "fault", ["MT-Redelivery-Count"] = 2, ["MT-Host-MachineName"] = "h", ["x-death"] = new List<object?>() };
        RetryHeaderWriter.Write(headers, new RetryState { Id = "x", Attempt = 9, Reason = ParkReason.Poison, Crashes = 5, Replayed = 1, Plan = "old", Kept = new KeptProperties { Exchange = "e", Priority = 7, Expiration = "5", ExpiresAt = DateTimeOffset.UnixEpoch } }, "payments");
        var original = new BasicProperties { Headers = headers, Expiration = "5", CorrelationId = "c" };

        var copy = ReplayedCopy.Of(ParkedMessageReader.Read(original, default, Names), original, "new", "payments");

        copy.Headers!.Keys.Order().ShouldBe(["MT-Host-MachineName", RetryHeaderNames.Attempt, RetryHeaderNames.Id, RetryHeaderNames.Kept, RetryHeaderNames.Origin, RetryHeaderNames.Plan, RetryHeaderNames.Replayed]);
        copy.Headers[RetryHeaderNames.Attempt].ShouldBe(1);
        copy.Headers[RetryHeaderNames.Replayed].ShouldBe(2);
        copy.Headers[RetryHeaderNames.Plan].ShouldBe("new");
        copy.Priority.ShouldBe((byte)7);
        copy.IsExpirationPresent().ShouldBeFalse();
        copy.CorrelationId.ShouldBe("c");
    }

    private static ParkedMessage Read(Dictionary<string, object?> headers, string body = "") =>
        ParkedMessageReader.Read(new BasicProperties { Headers = headers }, Encoding.UTF8.GetBytes(body), Names);

    private static Dictionary<string, object?> Death(string queue, string reason, params (string Queue, string Reason)[] earlier) => Death(queue, reason, 1_800_000_000, earlier);

    private static Dictionary<string, object?> Death(string queue, string reason, long at, params (string Queue, string Reason)[] earlier) => new()
    {
        ["x-death"] = new List<object?>(earlier.Prepend((Queue: queue, Reason: reason)).Select(death => (object?)new Dictionary<string, object?>
        {
            ["queue"] = Encoding.UTF8.GetBytes(death.Queue),
            ["reason"] = Encoding.UTF8.GetBytes(death.Reason),
            ["time"] = new AmqpTimestamp(at),
            ["exchange"] = "shop"u8.ToArray(),
            ["routing-keys"] = new List<object?> { "key"u8.ToArray() },
        })),
    };
}
