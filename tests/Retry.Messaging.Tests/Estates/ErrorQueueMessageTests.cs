using System.Text;
using RabbitMQ.Client;
using Retry.Messaging.Operations.Estates;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Estates;

/// <summary>What a message in somebody else's error queue tells; its headers may hold anything.</summary>
public sealed class ErrorQueueMessageTests
{
    private const string Queue = "payments_error";

    [Fact]
    public void Tells_what_MassTransit_says_of_the_fault()
    {
        var message = Read(Fault());

        message.ShouldSatisfyAllConditions(
            () => message.Reason.ShouldBe(ParkReason.Failed),
            () => message.WorkQueue.ShouldBe("payments"),
            () => message.Error.ShouldBe("Shop.GatewayException: 503"),
            () => message.ExceptionTypes.ShouldBe(["Shop.GatewayException"]),
            () => message.MessageType.ShouldBe("Shop.Charge"),
            () => message.Attempts.ShouldBe(4),
            () => message.ParkedAt.ShouldBe(new DateTimeOffset(2026, 11, 29, 3, 0, 0, TimeSpan.Zero)),
            () => message.BrokerReason.ShouldBeNull(),
            () => FailureFingerprint.Of(message).ShouldBe("Shop.GatewayException: * at Shop.Gateway.Charge"));
    }

    [Fact]
    public void A_skipped_message_is_unhandled_and_says_no_more()
    {
        var message = Read(new() { ["MT-Reason"] = "dead-letter"u8.ToArray() }, """{"messageType":["urn:message:Shop:Refund"]}""", "payments_skipped");

        (message.Reason, message.WorkQueue, message.MessageType).ShouldBe((ParkReason.Unhandled, "payments", "Shop.Refund"));
        (message.Attempts, message.ParkedAt, message.Error).ShouldBe((0, null, null));
    }

    [Fact]
    public void Tells_what_the_broker_says_of_the_death()
    {
        var message = Read(new() { ["x-death"] = Deaths(("orders", "expired")) }, queue: "dead");

        (message.Reason, message.BrokerReason, message.WorkQueue).ShouldBe((ParkReason.Expired, "expired", "orders"));
        message.ParkedAt.ShouldBe(DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));
    }

    [Fact]
    public void MassTransits_word_counts_more_than_the_brokers()
    {
        var headers = Fault();
        headers["x-death"] = Deaths(("orders", "expired"));

        (Read(headers).Reason, Read(headers).BrokerReason, Read(headers).WorkQueue).ShouldBe((ParkReason.Failed, null, "payments"));
    }

    [Fact]
    public void Headers_of_this_library_do_not_count()
    {
        var headers = Fault();
        RetryHeaderWriter.Write(headers, new RetryState { Id = "x", Attempt = 9, Reason = ParkReason.Poison, Replayed = 3 }, Queue);

        var message = Read(headers);

        ErrorQueues.IsId(message.Id).ShouldBeTrue();
        (message.Reason, message.Attempts, message.Replayed).ShouldBe((ParkReason.Failed, 4, 0));
    }

    [Fact]
    public void The_id_is_the_same_at_every_reading_and_another_for_another_failure()
    {
        var first = Read(Fault()).Id;
        var returned = Fault();
        returned["x-delivery-count"] = 7L;
        var again = Fault();
        again["MT-Fault-Timestamp"] = "2026-11-29T03:00:01Z"u8.ToArray();

        ErrorQueues.IsId(first).ShouldBeTrue();
        first.Length.ShouldBe(22);
        Read(returned).Id.ShouldBe(first);
        Read(again).Id.ShouldNotBe(first);
        Read(Fault(), "other").Id.ShouldNotBe(first);
        Read(Fault(), queue: "orders_error").Id.ShouldNotBe(first);
    }

    [Theory]
    [InlineData("h-00112233445566778899", true)]
    [InlineData("h-0011223344556677889", false)]
    [InlineData("h-0011223344556677889G", false)]
    [InlineData("m-00112233445566778899", false)]
    [InlineData("payments", false)]
    [InlineData("", false)]
    public void An_id_is_told_from_a_name(string text, bool isId) => ErrorQueues.IsId(text).ShouldBe(isId);

    [Theory]
    [MemberData(nameof(Garbage))]
    public void Garbage_in_any_header_breaks_nothing(object? garbage)
    {
        string[] names =
        [
            "MT-Reason", "MT-Fault-InputAddress", "MT-Fault-Timestamp", "MT-Fault-ExceptionType", "MT-Fault-Message", "MT-Fault-MessageType", "MT-Fault-StackTrace",
            "MT-Fault-RetryCount", "MT-Redelivery-Count", "MT-MessageType", "x-death", "x-delivery-count",
        ];
        var headers = names.ToDictionary(name => name, _ => garbage);

        var message = Read(headers);

        ErrorQueues.IsId(message.Id).ShouldBeTrue();
        Read(headers).Id.ShouldBe(message.Id);
        message.WorkQueue.ShouldBe("payments");
        (message.Error?.Length ?? 0).ShouldBeLessThanOrEqualTo(300);
        message.Attempts.ShouldBeGreaterThanOrEqualTo(0);
        message.Headers.Count.ShouldBe(names.Length);
        FailureFingerprint.Of(message).Length.ShouldBeLessThan(400);
        ParkedFilter.All.Matches(message).ShouldBeTrue();
        PlainCopy.Of(new BasicProperties { Headers = headers }).Headers!.Keys.ShouldBe(["MT-MessageType"]);
    }

    public static TheoryData<object?> Garbage() =>
    [
        null, -1, int.MaxValue, long.MinValue, 3.5, double.NaN, true, new byte[] { 0xFF, 0x00, 0x1B }, Encoding.UTF8.GetBytes(new string('x', 100_000)),
        new List<object?> { null, new byte[] { 1 }, new Dictionary<string, object?>() }, new Dictionary<string, object?> { ["reason"] = 1 },
        new List<object?> { new Dictionary<string, object?> { ["reason"] = "x"u8.ToArray(), ["queue"] = 5 } }, new AmqpTimestamp(long.MaxValue),
    ];

    [Fact]
    public void A_message_without_headers_is_read() => Read(null).Reason.ShouldBe(default);

    internal static Dictionary<string, object?> Fault() => new()
    {
        ["MT-Reason"] = "fault"u8.ToArray(),
        ["MT-Fault-InputAddress"] = "rabbitmq://localhost/shop/payments"u8.ToArray(),
        ["MT-Fault-ExceptionType"] = "Shop.GatewayException"u8.ToArray(),
        ["MT-Fault-Message"] = "503"u8.ToArray(),
        ["MT-Fault-MessageType"] = "Shop.Charge"u8.ToArray(),
        ["MT-Fault-StackTrace"] = "   at Shop.Gateway.Charge() in /src/Gateway.cs:line 5"u8.ToArray(),
        ["MT-Fault-Timestamp"] = "2026-11-29T03:00:00Z"u8.ToArray(),
        ["MT-Fault-RetryCount"] = 2,
        ["MT-Redelivery-Count"] = 1,
        ["MT-Host-MachineName"] = "vm"u8.ToArray(),
        ["tenant"] = "acme"u8.ToArray(),
    };

    internal static List<object?> Deaths(params (string Queue, string Reason)[] deaths) =>
    [
        .. deaths.Select(death => new Dictionary<string, object?>
        {
            ["queue"] = Encoding.UTF8.GetBytes(death.Queue),
            ["reason"] = Encoding.UTF8.GetBytes(death.Reason),
            ["time"] = new AmqpTimestamp(1_800_000_000),
        }),
    ];

    private static ParkedMessage Read(Dictionary<string, object?>? headers, string body = "", string queue = Queue) =>
        ErrorQueueMessage.Read(queue, new BasicProperties { Headers = headers }, Encoding.UTF8.GetBytes(body));
}
