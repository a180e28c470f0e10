using RabbitMQ.Client;
using Retry.Messaging.Operations.Estates;
using Retry.Messaging.RabbitMq.Publishing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Estates;

/// <summary>What goes from an error queue back to work, and what takes its own place in the error queue.</summary>
public sealed class PlainCopyTests
{
    private static readonly List<object?> Deaths = ErrorQueueMessageTests.Deaths(("payments", "rejected"));

    [Fact]
    public void A_copy_is_what_was_sent_without_the_fault_and_the_death()
    {
        var copy = PlainCopy.Of(Original());

        copy.Headers!.Keys.ShouldBe(["tenant", "MT-Activity-Id", "retry-anything"], ignoreOrder: true);
        (copy.Priority, copy.Expiration, copy.CorrelationId, copy.MessageId, copy.ReplyTo, copy.Type, copy.AppId).ShouldBe(((byte)4, "60000", "c", "m", "r", "t", "a"));
        (copy.DeliveryMode, copy.ContentType, copy.ContentEncoding, copy.Timestamp).ShouldBe((DeliveryModes.Persistent, "application/json", "utf-8", new AmqpTimestamp(5)));
    }

    [Fact]
    public void Orders_that_the_broker_would_follow_or_refuse_are_taken_off()
    {
        var copy = PlainCopy.Of(Original());

        copy.Headers!.Keys.ShouldNotContain("CC");
        copy.IsUserIdPresent().ShouldBeFalse();
    }

    [Fact]
    public void A_copy_whose_headers_were_all_of_the_fault_has_none() =>
        PlainCopy.Of(new BasicProperties { Headers = new Dictionary<string, object?> { ["MT-Reason"] = "fault", ["x-death"] = Deaths } }).IsHeadersPresent().ShouldBeFalse();

    [Fact]
    public void What_takes_its_own_place_keeps_fault_and_death_and_loses_the_count()
    {
        var original = Original();
        original.Headers!["x-first-death-queue"] = "payments";
        original.Headers!["x-delivery-count"] = 15L;

        var copy = Republication.InPlace(original);

        copy.Headers!.Keys.ShouldBe(original.Headers.Keys.Except(["x-delivery-count", "CC"]), ignoreOrder: true);
        copy.Headers["x-death"].ShouldBe(Deaths);
        (copy.Priority, copy.Expiration).ShouldBe(((byte)4, "60000"));
    }

    private static BasicProperties Original() => new()
    {
        Headers = new Dictionary<string, object?>(ErrorQueueMessageTests.Fault())
        {
            ["MT-Activity-Id"] = "00-1-2-00",
            ["retry-anything"] = 1,
            ["x-death"] = Deaths,
            ["CC"] = new List<object?> { "other" },
        },
        Priority = 4,
        Expiration = "60000",
        CorrelationId = "c",
        MessageId = "m",
        ReplyTo = "r",
        Type = "t",
        AppId = "a",
        UserId = "guest",
        Persistent = true,
        ContentType = "application/json",
        ContentEncoding = "utf-8",
        Timestamp = new AmqpTimestamp(5),
    };
}
