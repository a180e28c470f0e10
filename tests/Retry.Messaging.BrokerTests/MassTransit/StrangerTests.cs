using System.Collections;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>Messages that no MassTransit sent: whatever a client may write is accepted, and comes out as it went in.</summary>
[Collection(SharedBroker.Name)]
public sealed class StrangerTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Retries = 2;
    private const string ShortLife = "2000";
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1.5);

    [Theory]
    [InlineData(700)]
    public Task Are_attempted_as_configured_and_parked_as_they_were_sent(int messages) => ClimbAsync(messages);

    [Theory]
    [Trait("Category", "Long")]
    [InlineData(5000)]
    public Task Are_attempted_as_configured_and_parked_as_they_were_sent_in_thousands(int messages) => ClimbAsync(messages);

    private async Task ClimbAsync(int messages)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var runs = new ConcurrentDictionary<int, ConcurrentQueue<(int Attempt, DateTimeOffset At)>>();
        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("strangers", e =>
        {
            // all at once: what has an expiration of 2 s and waits longer than that in the queue is the broker's to drop
            e.PrefetchCount = messages;
            e.UseRawJsonDeserializer(RawSerializerOptions.AnyMessageType, isDefault: true);
            e.UseGradientRetry(context, retry => retry.Fixed(Delay).Retries(Retries));
            e.Handler<Order>(order =>
            {
                runs.GetOrAdd(order.Message.Number, _ => new()).Enqueue((order.GetRedeliveryCount() + 1, TimeProvider.System.GetUtcNow()));
                throw new InvalidOperationException("never");
            });
        }));
        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            // a second copy by CC or BCC would show up here
            await channel.QueueDeclareAsync("copies", durable: true, exclusive: false, autoDelete: false);
            await channel.ExchangeDeclareAsync("shop", ExchangeType.Direct, durable: true);
            await channel.QueueBindAsync("strangers", "shop", "order.placed");
            await channel.QueueBindAsync("copies", "shop", "copy");
        }

        var sent = Enumerable.Range(0, messages).Select(Stranger).ToArray();
        await raw.PublishManyAsync("shop", "order.placed", sent.Select(message => (message.Body, message.Properties)));
        var copies = (uint)sent.Count(message => message.Properties.Headers?.ContainsKey("CC") == true || message.Properties.Headers?.ContainsKey("BCC") == true);

        await raw.WaitForCountAsync("strangers.parked", (uint)messages, Deadline);
        await service.StopAsync();
        // the wait of three seconds would end after two
        var expiring = sent.Where(message => message.Properties.Expiration == ShortLife).Select(message => message.Number).ToHashSet();
        runs.Count.ShouldBe(messages);
        foreach (var (number, run) in runs)
        {
            run.Select(attempt => attempt.Attempt).ShouldBe(expiring.Contains(number) ? [1] : Enumerable.Range(1, Retries + 1), $"message {number}");
            var times = run.Select(attempt => attempt.At).ToArray();
            times.Zip(times.Skip(1)).ShouldAllBe(pair => pair.Second - pair.First >= Delay);
        }

        var parked = await raw.DrainAsync("strangers.parked");
        parked.Count.ShouldBe(messages);
        foreach (var message in parked)
        {
            var number = int.Parse(Encoding.UTF8.GetString(message.Body.Span).Split(':')[1].Split(',')[0], CultureInfo.InvariantCulture);
            AssertSame(sent[number], message, expiring.Contains(number));
        }

        (await raw.CountAsync("copies")).ShouldBe(copies, "the copy of the first publish, and no other");
        await raw.ShouldHaveLeftNothingBehindAsync("strangers");
        output.WriteLine($"{messages} messages, {runs.Values.Sum(run => run.Count)} runs, {expiring.Count} with too short a life");
    }

    /// <summary>The headers of the ladder say whose they are: another queue starts with attempt 1.</summary>
    [Fact]
    public async Task Forwarded_to_a_second_endpoint_make_exactly_its_own_attempts_there()
    {
        const int messages = 100;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var first = new ConcurrentDictionary<int, ConcurrentQueue<int>>();
        var second = new ConcurrentDictionary<int, ConcurrentQueue<int>>();
        await using var service = await RetryService.StartAsync(uri, (context, cfg) =>
        {
            cfg.ReceiveEndpoint("first", e =>
            {
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(4));
                e.Handler<Order>(async order =>
                {
                    first.GetOrAdd(order.Message.Number, _ => new()).Enqueue(order.GetRedeliveryCount() + 1);
                    if (order.GetRedeliveryCount() < 2)
                    {
                        throw new InvalidOperationException("not yet");
                    }

                    await order.Forward(new Uri("queue:second"));
                });
            });
            cfg.ReceiveEndpoint("second", e =>
            {
                e.ConfigureConsumeTopology = false;
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(1));
                e.Handler<Order>(order =>
                {
                    second.GetOrAdd(order.Message.Number, _ => new()).Enqueue(order.GetRedeliveryCount() + 1);
                    throw new InvalidOperationException("never");
                });
            });
        });

        var endpoint = await service.Bus.GetSendEndpoint(new Uri("queue:first"));
        await Task.WhenAll(Enumerable.Range(0, messages).Select(i => endpoint.Send(new Order(i))));

        await raw.WaitForCountAsync("second.parked", messages, Deadline);
        await service.StopAsync();
        first.Values.ShouldAllBe(run => run.SequenceEqual(new[] { 1, 2, 3 }));
        second.Count.ShouldBe(messages);
        second.Values.ShouldAllBe(run => run.SequenceEqual(new[] { 1, 2 }));
        (await raw.DrainAsync("second.parked")).ShouldAllBe(message => message.Header("retry-origin") == "second" && message.Header("retry-attempt") == "3");
        (await raw.CountAsync("first.parked")).ShouldBe(0u);
        await raw.ShouldHaveLeftNothingBehindAsync("first");
        await raw.ShouldHaveLeftNothingBehindAsync("second");
    }

    /// <summary>Written by somebody who may publish to the ladder's exchange: still no attempt more than the policy allows.</summary>
    [Theory]
    [InlineData(-1)]
    [InlineData(999)]
    [InlineData("x")]
    public async Task A_number_forged_on_the_ladder_itself_counts_as_the_last_attempt(object forged)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        (int, int?) shown = default;
        var runs = 0;
        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("forged", e =>
        {
            e.UseRawJsonDeserializer(RawSerializerOptions.AnyMessageType, isDefault: true);
            e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(Retries));
            e.Handler<Order>(order =>
            {
                Interlocked.Increment(ref runs);
                shown = (order.GetRedeliveryCount(), order.ReceiveContext.TransportHeaders.Get<int>(MessageHeaders.RedeliveryCount));
                throw new InvalidOperationException("never");
            });
        }));

        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            // the service binds its queue as well, but not before it says that it has started
            await channel.QueueBindAsync("forged", "retry.v1.return", "*.*.*.*.*.*.*.*.forged");
        }

        await raw.PublishAsync("retry.v1.return", "0.0.0.0.0.0.0.0.forged", """{"number":1}"""u8.ToArray(), new BasicProperties
        {
            ContentType = "application/json",
            Headers = new Dictionary<string, object?> { ["retry-origin"] = "forged", ["retry-attempt"] = forged, ["retry-id"] = "f", [MessageHeaders.RedeliveryCount] = 998 },
        });

        await raw.WaitForCountAsync("forged.parked", 1, Deadline);
        await service.StopAsync();
        runs.ShouldBe(1);
        shown.ShouldBe((Retries, Retries));
        var parked = (await raw.DrainAsync("forged.parked")).ShouldHaveSingleItem();
        parked.Reason().ShouldBe("Exhausted");
        parked.BasicProperties.Headers![MessageHeaders.FaultRedeliveryCount].ShouldBe(Retries);
        parked.Header("retry-attempt").ShouldBe((Retries + 2).ToString(CultureInfo.InvariantCulture));
        await raw.ShouldHaveLeftNothingBehindAsync("forged");
    }

    private static (int Number, byte[] Body, BasicProperties Properties) Stranger(int number)
    {
        // spacing and escapes that no serializer would write again
        var body = Encoding.UTF8.GetBytes($$"""{ "number" :{{number}}, "note"	: "\u00e9é\t{{new string('~', number % 50)}}" }""");
        var headers = new Dictionary<string, object?>
        {
            ["mine"] = "text",
            ["count"] = number,
            ["big"] = 1L << 40,
            ["ratio"] = 0.25,
            ["yes"] = true,
            ["none"] = null,
            ["at"] = new AmqpTimestamp(1_700_000_000),
            ["bytes"] = new BinaryTableValue([0, 255, 128]),
            ["nested"] = new Dictionary<string, object?> { ["list"] = new List<object?> { 1, "two", new Dictionary<string, object?> { ["three"] = 3L } } },
            ["broken"] = new byte[] { 0xC3, 0x28, 0xFF, 0xFE },
        };
        var properties = new BasicProperties { ContentType = number % 7 == 0 ? "application/vnd.shop.order+json" : "application/json", Headers = headers, DeliveryMode = DeliveryModes.Persistent };
        switch (number % 10)
        {
            case 0:
                break;

            case 1:
                properties.MessageId = "always the same";
                break;

            case 2:
                headers["CC"] = new List<object?> { "copy" };
                break;

            case 3:
                headers["BCC"] = new List<object?> { "copy" };
                break;

            case 4:
                // one that ends before the second attempt would begin, and one that all attempts fit into
                properties.Expiration = number % 20 == 4 ? ShortLife : "120000";
                break;

            case 5:
                properties.Priority = 5;
                break;

            case 6:
                properties.Priority = 9;
                break;

            case 7:
                headers["retry-attempt"] = (number % 3) switch { 0 => -1, 1 => 999, _ => "x" };
                headers["retry-origin"] = "strangers";
                headers["retry-id"] = "forged";
                headers["retry-history"] = "1\tnonsense";
                headers["retry-crashes"] = 4;
                break;

            case 8:
                headers["x-death"] = new List<object?> { new Dictionary<string, object?> { ["queue"] = "strangers", ["reason"] = "expired", ["count"] = 7L, ["exchange"] = "", ["routing-keys"] = new List<object?> { "strangers" } } };
                headers["x-delivery-count"] = 50;
                break;

            case 9 when number % 100 == 9:
                headers["huge"] = new string('h', 120 * 1024);
                break;

            case 9:
                properties.MessageId = Guid.NewGuid().ToString();
                properties.CorrelationId = "not a guid";
                properties.ReplyTo = "somewhere";
                properties.Type = "order";
                properties.AppId = "shop";
                properties.Timestamp = new AmqpTimestamp(1_700_000_001);
                break;
        }

        return (number, body, properties);
    }

    private static void AssertSame((int Number, byte[] Body, BasicProperties Properties) sent, BasicGetResult parked, bool expires)
    {
        var was = sent.Properties;
        var properties = parked.BasicProperties;
        parked.Body.ToArray().ShouldBe(sent.Body);
        parked.Reason().ShouldBe(expires ? "Expired" : "Exhausted");
        parked.Header("retry-origin").ShouldBe("strangers");
        parked.Header("retry-attempt").ShouldBe(expires ? "2" : (Retries + 2).ToString(CultureInfo.InvariantCulture));
        (properties.ContentType, properties.MessageId, properties.CorrelationId, properties.ReplyTo, properties.Type, properties.AppId)
            .ShouldBe((was.ContentType, was.MessageId, was.CorrelationId, was.ReplyTo, was.Type, was.AppId));
        properties.Timestamp.ShouldBe(was.Timestamp);
        properties.DeliveryMode.ShouldBe(DeliveryModes.Persistent);
        properties.IsExpirationPresent().ShouldBeFalse();
        properties.IsPriorityPresent().ShouldBeFalse();
        var headers = properties.Headers!;
        // the broker writes its count when it hands the message out; a sender's would still be 50
        headers.Where(header => header.Key.StartsWith("x-", StringComparison.Ordinal)).ShouldAllBe(header => header.Key == "x-delivery-count" && Plain(header.Value) == "0");
        headers.Keys.ShouldNotContain("CC");
        headers.Keys.ShouldNotContain("BCC");
        foreach (var (name, value) in was.Headers!)
        {
            if (name is not ("CC" or "BCC") && !name.StartsWith("x-", StringComparison.Ordinal) && !name.StartsWith("retry-", StringComparison.Ordinal))
            {
                Plain(headers[name]).ShouldBe(Plain(value), $"header {name} of message {sent.Number}");
            }
        }

        if (headers.TryGetValue("huge", out _))
        {
            // the header frame is full: what is ours is cut first
            return;
        }

        var kept = headers["retry-kept"].ShouldBeAssignableTo<IDictionary<string, object?>>()!;
        Plain(kept["exchange"]).ShouldBe("shop");
        Plain(kept["routing-key"]).ShouldBe("order.placed");
        Plain(kept.TryGetValue("priority", out var priority) ? priority : null).ShouldBe(was.IsPriorityPresent() ? was.Priority.ToString(CultureInfo.InvariantCulture) : "");
        Plain(kept.TryGetValue("expiration", out var expiration) ? expiration : null).ShouldBe(was.Expiration ?? "");
        Plain(kept.TryGetValue("cc", out var cc) ? cc : null).ShouldBe(was.Headers.TryGetValue("CC", out var wasCc) ? Plain(wasCc) : "");
    }

    // Comparable text of a header, whether it was written as text or read as bytes. One character for each byte: read as UTF-8, bytes that
    // are none would look like what they become when somebody writes them as text.
    private static string Plain(object? value) => value switch
    {
        null => "",
        string text => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text)),
        byte[] bytes => Encoding.Latin1.GetString(bytes),
        BinaryTableValue binary => Convert.ToHexString(binary.Bytes!),
        IDictionary<string, object?> table => "{" + string.Join(",", table.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => entry.Key + "=" + Plain(entry.Value))) + "}",
        IList list => "[" + string.Join(",", list.Cast<object?>().Select(Plain)) + "]",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    public sealed record Order(int Number);
}
