using System.Text;
using System.Text.Json.Nodes;
using Retry.Messaging.RabbitMq.Recurring;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Recurring;

public class EnvelopeStampTests
{
    private const string Envelope = "application/vnd.masstransit+json";
    private static readonly byte[] Sent = Encoding.UTF8.GetBytes(
        """{"messageId":"a","conversationId":"b","sentTime":"2026-01-01T00:00:00Z","host":{"processId":7},"messageType":["urn:message:Shop:Report"],"message":{"text":"Gr\u00fc\u00dfe","number":12345678901234567890.12},"headers":{"tenant":"eu"}}""");

    [Fact]
    public void Each_slot_gets_its_own_id_and_time_and_keeps_the_rest()
    {
        var id = Guid.NewGuid();
        var at = new DateTimeOffset(2027, 3, 28, 1, 0, 0, TimeSpan.Zero);

        var stamped = EnvelopeStamp.Write(Envelope, EnvelopeStamp.TakeOff(Envelope, Sent), id, at, new Dictionary<string, object?> { ["retry-slot"] = 5L });

        var read = JsonNode.Parse(stamped.Span)!;
        read["messageId"]!.GetValue<string>().ShouldBe(id.ToString());
        read["sentTime"]!.GetValue<DateTime>().ShouldBe(at.UtcDateTime);
        read["headers"]!.ToJsonString().ShouldBe("""{"tenant":"eu","retry-slot":5}""");
        read["message"]!["text"]!.GetValue<string>().ShouldBe("Grüße");
        read["message"]!["number"]!.ToJsonString().ShouldBe("12345678901234567890.12");
        read["messageType"]![0]!.GetValue<string>().ShouldBe("urn:message:Shop:Report");
    }

    [Fact]
    public void Two_calls_of_the_same_leave_the_same_bytes() =>
        EnvelopeStamp.TakeOff(Envelope, Sent).ToArray()
            .ShouldBe(EnvelopeStamp.TakeOff(Envelope, Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Sent).Replace("\"a\"", "\"c\"").Replace("7}", "8}"))).ToArray());

    [Theory]
    [InlineData("application/json")]
    [InlineData(null)]
    public void A_body_without_an_envelope_stays_as_it_is(string? contentType) =>
        EnvelopeStamp.Write(contentType, Sent, Guid.NewGuid(), default, new Dictionary<string, object?>()).ToArray().ShouldBe(Sent);

    [Theory]
    [InlineData("[]")]
    [InlineData("no json")]
    public void Neither_does_one_that_only_says_it_has_one(string body) =>
        Encoding.UTF8.GetString(EnvelopeStamp.Write(Envelope, Encoding.UTF8.GetBytes(body), Guid.NewGuid(), default, new Dictionary<string, object?>()).Span).ShouldBe(body);
}
