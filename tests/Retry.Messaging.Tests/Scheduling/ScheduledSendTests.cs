using System.Text;
using MassTransit.RabbitMqTransport;
using MassTransit.Serialization;
using RabbitMQ.Client;
using Retry.Messaging.MassTransit.Scheduling;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Scheduling;

public class ScheduledSendTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly DateTimeOffset Due = Now.AddSeconds(90);

    [Fact]
    public void A_send_with_a_delay_goes_by_the_ladder_and_comes_back_unless_it_is_routed()
    {
        var context = Context();

        ScheduledSend.Rewrite(context, new AskedSchedule(Due, null, null), Now);

        (context.Exchange, context.RoutingKey).ShouldBe(("retry.v1.m", "0.0.0.0.1.3.0.0.retry.v1.schedule"));
        (context.Delay, context.Mandatory, context.AwaitAck).ShouldBe((null, true, true));
        var state = ScheduleHeader.Read(context.BasicProperties.Headers)!;
        (state.DueAt, state.Kept.Exchange, state.Kept.RoutingKey).ShouldBe((Due, "orders", "key"));
        context.BasicProperties.IsPriorityPresent().ShouldBeFalse();
        ScheduledSend.WasRewritten(context).ShouldBeTrue();
    }

    [Fact]
    public void What_would_harm_it_is_kept_and_what_would_not_stays()
    {
        var context = Context();
        context.TimeToLive = TimeSpan.FromSeconds(1.5);
        context.Headers.Set("CC", "copy");
        context.Headers.Set("BCC", new[] { "b", "c" });
        context.Durable = false;
        (context.BasicProperties.Priority, context.BasicProperties.UserId) = (7, "guest");
        (context.BasicProperties.AppId, context.BasicProperties.Type, context.BasicProperties.ReplyTo) = ("app", "type", "reply");

        ScheduledSend.Rewrite(context, new AskedSchedule(Due, null, null), Now);

        var kept = ScheduleHeader.Read(context.BasicProperties.Headers)!.Kept;
        (kept.Priority, kept.UserId, kept.Expiration).ShouldBe(((byte)7, "guest", "1500"));
        kept.Cc.ShouldBe(["copy"]);
        kept.Bcc.ShouldBe(["b", "c"]);
        var properties = context.BasicProperties;
        (properties.IsPriorityPresent(), properties.IsUserIdPresent(), properties.IsExpirationPresent(), context.TimeToLive).ShouldBe((false, false, false, null));
        (properties.AppId, properties.Type, properties.ReplyTo, context.Durable).ShouldBe(("app", "type", "reply", false));
        context.Headers.GetAll().Select(header => header.Key).ShouldNotContain("CC");
        properties.Headers!.Keys.ShouldBe([RetryHeaderNames.Schedule]);
    }

    /// <summary>The envelope tells when the message expires, and has the headers.</summary>
    [Fact]
    public void The_body_is_written_before_anything_is_taken_off()
    {
        var context = Context();
        context.TimeToLive = TimeSpan.FromMinutes(1);
        context.Headers.Set("CC", "copy");

        ScheduledSend.Rewrite(context, new AskedSchedule(Due, null, null), Now);

        var body = Encoding.UTF8.GetString(context.Body.GetBytes());
        body.ShouldContain("\"CC\": \"copy\"");
        body.ShouldContain("\"expirationTime\": \"2");
        body.ShouldNotContain("retry-schedule");
    }

    [Theory]
    [InlineData(null, "orders", false)]
    [InlineData(0, "orders", false)]
    [InlineData(-1, "orders", false)]
    [InlineData(1, "orders", true)]
    [InlineData(1, "", true)]
    [InlineData(1, "amq.rabbitmq.reply-to", false)]
    public void Only_what_has_a_delay_is_concerned_and_no_answer_on_a_connection(int? seconds, string exchange, bool expected)
    {
        var context = Context(exchange);
        context.Delay = seconds is { } delay ? TimeSpan.FromSeconds(delay) : null;

        ScheduledSend.Concerns(context).ShouldBe(expected);
    }

    private static RabbitMqMessageSendContext<Order> Context(string exchange = "orders") =>
        new(new BasicProperties(), exchange, new Order(1), CancellationToken.None)
        {
            RoutingKey = "key",
            Delay = Due - Now,
            DestinationAddress = new Uri("rabbitmq://localhost/orders"),
            Serializer = new SystemTextJsonMessageSerializer(),
        };

    private sealed record Order(int Number);
}
