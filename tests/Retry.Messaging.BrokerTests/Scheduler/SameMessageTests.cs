using System.Text;
using System.Text.RegularExpressions;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>A plain client sees the same message, whether it was scheduled or sent at once.</summary>
[Collection(ScheduleBroker.Name)]
public sealed partial class SameMessageTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_scheduled_message_is_the_one_that_would_have_been_sent_at_once(bool withAll)
    {
        var uri = await broker.CreateVirtualHostAsync();
        var user = Uri.UnescapeDataString(uri.UserInfo.Split(':')[0]);
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var service = await ScheduledService.StartAsync(uri, (_, _) => { });
        var id = NewId.NextGuid();

        await SendAsync(DateTime.UtcNow.AddMinutes(-1));
        await raw.WaitForCountAsync("seen", 1, Deadline);
        await SendAsync(DateTime.UtcNow.AddMilliseconds(400));
        await raw.WaitForCountAsync("seen", 2, Deadline);

        var messages = await raw.DrainAsync("seen");
        TextOf(messages[1].Body).ShouldBe(TextOf(messages[0].Body));
        (messages[1].Exchange, messages[1].RoutingKey).ShouldBe((messages[0].Exchange, messages[0].RoutingKey));
        PropertiesOf(messages[1].BasicProperties).ShouldBe(PropertiesOf(messages[0].BasicProperties));
        // not only equal, but what was asked for
        messages[1].BasicProperties.IsPriorityPresent().ShouldBe(withAll);
        messages[1].BasicProperties.Expiration.ShouldBe(withAll ? "60000" : null);
        messages[1].BasicProperties.UserId.ShouldBe(withAll ? user : null);
        messages[1].BasicProperties.Headers!.ContainsKey("CC").ShouldBe(withAll);

        Task SendAsync(DateTime due) => service.Scheduler.ScheduleSend(
            new Uri("exchange:shop?bind=true&queue=seen"),
            due,
            new Order(1) { Token = id },
            Pipe.Execute<SendContext<Order>>(context =>
            {
                (context.MessageId, context.ConversationId, context.CorrelationId, context.ScheduledMessageId) = (id, id, id, id);
                context.Headers.Set("shop", "Köln");
                context.Headers.Set("count", 7);
                context.Headers.Set(MessageHeaders.SchedulingTokenId, id.ToString());
                if (withAll)
                {
                    context.TimeToLive = TimeSpan.FromMinutes(1);
                    context.SetPriority(7);
                    context.Headers.Set("CC", "a.copy");
                    var properties = context.GetPayload<RabbitMqSendContext>().BasicProperties;
                    (properties.UserId, properties.AppId, properties.Type) = (user, "shop", "order");
                }
            }),
            default);
    }

    // when it was sent, and when it expires, which is a minute later
    private static string TextOf(ReadOnlyMemory<byte> body) => Moment().Replace(Encoding.UTF8.GetString(body.Span), "\"…\"");

    private static List<string> PropertiesOf(IReadOnlyBasicProperties properties)
    {
        List<string> all =
        [
            $"{properties.ContentType} {properties.ContentEncoding} {properties.DeliveryMode} {properties.MessageId} {properties.CorrelationId}",
            $"{properties.ReplyTo} {properties.Type} {properties.AppId} {properties.UserId} {properties.ClusterId} {properties.Expiration}",
            $"{properties.IsPriorityPresent()} {properties.Priority} {properties.IsTimestampPresent()} {properties.Timestamp}",
        ];
        all.AddRange(properties.Headers!.Where(header => header.Key is not (Constants.PublishSequenceNumberHeader or "MT-Activity-Id")).OrderBy(header => header.Key).Select(header => $"{header.Key}: {Text(header.Value)}"));
        return all;

        static string Text(object? value) => value switch
        {
            byte[] bytes => Encoding.UTF8.GetString(bytes),
            System.Collections.IList list => string.Join(',', list.Cast<object?>().Select(Text)),
            _ => $"{value} {value?.GetType().Name}",
        };
    }

    [GeneratedRegex(@"""\d{4}-\d\d-\d\dT[\d:.]+Z""")]
    private static partial Regex Moment();

    public sealed record Order(int Number)
    {
        public Guid Token { get; init; }
    }
}
