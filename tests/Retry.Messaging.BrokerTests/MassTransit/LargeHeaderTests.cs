using System.Collections.Concurrent;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>A header frame over 128 KB closes the whole connection, also when it is that of a Fault.</summary>
[Collection(SharedBroker.Name)]
public sealed class LargeHeaderTests(BrokerFixture broker)
{
    private const int FrameMax = 131_072;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    /// <summary>MassTransit takes a message's headers over into its Fault: those of a raw one as text, in which bytes that are no UTF-8 grow to three times their number.</summary>
    [Fact]
    public async Task A_fault_fits_into_its_frame_whatever_headers_it_takes_over()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.Of<Order>());
        var runs = new ConcurrentDictionary<int, int>();
        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("large", e =>
        {
            e.UseRawJsonDeserializer(RawSerializerOptions.All, isDefault: true);
            e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(1));
            e.Handler<Order>(order =>
            {
                runs.AddOrUpdate(order.Message.Number, 1, static (_, count) => count + 1);
                throw new InvalidOperationException("never");
            });
        }));
        byte[][] large = [Bytes(60 * 1024, 0xFF), Bytes(FrameMax - 600, (byte)'t'), Bytes(FrameMax - 900, (byte)'t'), Bytes(FrameMax - 4200, (byte)'t'), Bytes(100, (byte)'t')];
        for (var i = 0; i < large.Length; i++)
        {
            var headers = new Dictionary<string, object?> { ["large"] = large[i], ["tenant"] = "acme" };
            await raw.PublishAsync(string.Empty, "large", System.Text.Encoding.UTF8.GetBytes($$"""{"number":{{i}}}"""), new BasicProperties { ContentType = "application/json", MessageId = NewId.NextGuid().ToString(), Headers = headers });
        }

        // an envelope has headers in its body, which may be of any size
        var envelope = $$"""{"messageType":["{{MessageUrn.ForTypeString<Order>()}}"],"headers":{"tenant":"acme","large":"{{new string('t', 2 * FrameMax)}}"},"message":{"number":{{large.Length}}} }""";
        await raw.PublishAsync(string.Empty, "large", System.Text.Encoding.UTF8.GetBytes(envelope), new BasicProperties { ContentType = "application/vnd.masstransit+json", Headers = new Dictionary<string, object?> { ["tenant"] = "acme" } });
        var all = large.Length + 1;

        await raw.WaitForCountAsync("large.parked", (uint)all, Deadline);
        await raw.WaitForCountAsync(faults, (uint)all, Deadline);
        await service.StopAsync();
        runs.Count.ShouldBe(all);
        runs.Values.ShouldAllBe(count => count == 2);
        (await raw.DrainAsync("large.parked")).ShouldAllBe(parked => parked.Header("tenant") == "acme" && parked.Reason() == "Exhausted");
        var told = await raw.DrainAsync(faults);
        told.ShouldAllBe(fault => fault.Header("tenant") == "acme");
        told.Count(fault => fault.Header("large") is not null).ShouldBe(1, "what does not fit is left out, and nothing else");
        told.Select(fault => fault.BasicProperties.MessageId).Distinct().Count().ShouldBe(all);
        await raw.ShouldHaveLeftNothingBehindAsync("large");
    }

    private static byte[] Bytes(int count, byte value)
    {
        var bytes = new byte[count];
        Array.Fill(bytes, value);
        return bytes;
    }

    public sealed record Order(int Number);
}
