using System.Collections.Concurrent;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>A consumer sees the same message at each attempt, wherever MassTransit shows it.</summary>
[Collection(SharedBroker.Name)]
public sealed class FirstSightTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("shop", "order.placed", true)]
    [InlineData("shop", "order.placed", false)]
    [InlineData("", "orders", true)]
    [InlineData("", "orders", false)]
    public async Task What_the_ladder_changed_is_as_it_was_sent(string exchange, string routingKey, bool isRaw)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var sights = new ConcurrentQueue<Dictionary<string, object?>>();
        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("orders", e =>
        {
            e.UseRawJsonDeserializer(RawSerializerOptions.AnyMessageType | RawSerializerOptions.CopyHeaders);
            e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(200)).Retries(2));
            e.Handler<Order>(order =>
            {
                sights.Enqueue(Look(order));
                throw new InvalidOperationException("never");
            });
        }));
        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            await channel.ExchangeDeclareAsync("shop", ExchangeType.Direct, durable: true);
            await channel.QueueBindAsync("orders", "shop", "order.placed");
        }

        var body = isRaw ? """{"number":1}""" : $$"""{"messageType":["{{MessageUrn.ForTypeString<Order>()}}"],"headers":{"RabbitMQ-RoutingKey":"an earlier one"},"message":{"number":1} }""";
        await raw.PublishAsync(exchange, routingKey, System.Text.Encoding.UTF8.GetBytes(body), new BasicProperties
        {
            ContentType = isRaw ? "application/json" : "application/vnd.masstransit+json",
            Priority = 3,
            Expiration = "600000",
            UserId = uri.UserInfo.Split(':')[0],
            ReplyTo = "somewhere",
            Headers = new Dictionary<string, object?> { ["CC"] = new List<object?> { "copy" }, ["mine"] = "yes" },
        });

        await raw.WaitForCountAsync("orders.parked", 1, Deadline);
        await service.StopAsync();
        var all = sights.ToArray();
        all.Length.ShouldBe(3);
        all[0]["key of the payload"].ShouldBe(routingKey);
        all[0]["priority"].ShouldBe((byte)3);
        foreach (var later in all[1..])
        {
            later.ShouldBe(all[0], ignoreOrder: true);
        }
    }

    private static Dictionary<string, object?> Look(ConsumeContext context)
    {
        var sight = new Dictionary<string, object?> { ["key"] = context.RoutingKey() };
        foreach (var (name, headers) in new[] { ("headers", context.Headers), ("transport", context.ReceiveContext.TransportHeaders) })
        {
            foreach (var header in new[] { "RabbitMQ-RoutingKey", "RabbitMQ-ExchangeName" })
            {
                sight[$"{name}: {header}, got"] = headers.Get<string>(header);
                sight[$"{name}: {header}, found"] = headers.TryGetHeader(header, out var found) ? found : "none";
                sight[$"{name}: {header}, listed"] = headers.GetAll().Where(listed => listed.Key == header).Select(listed => listed.Value).SingleOrDefault();
            }
        }

        foreach (var (name, payload) in new[] { ("payload", context.GetPayload<RabbitMqBasicConsumeContext>()), ("payload of the receive context", context.ReceiveContext.GetPayload<RabbitMqBasicConsumeContext>()) })
        {
            sight[$"key of the {name}"] = payload.RoutingKey;
            sight[$"exchange of the {name}"] = payload.Exchange;
        }

        var properties = context.GetPayload<RabbitMqBasicConsumeContext>().Properties;
        sight["priority"] = properties.Priority;
        sight["expiration"] = properties.Expiration;
        sight["user"] = properties.UserId;
        sight["reply to"] = properties.ReplyTo;
        sight["copies"] = properties.Headers!["CC"] is System.Collections.IList copies ? string.Join(",", copies.Cast<byte[]>().Select(System.Text.Encoding.UTF8.GetString)) : "none";
        sight["mine"] = System.Text.Encoding.UTF8.GetString((byte[])properties.Headers["mine"]!);
        return sight;
    }

    public sealed record Order(int Number);
}
