using System.Text;
using System.Text.Json;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Estates;

/// <summary>A virtual host in which a plain MassTransit service, without a line of this library, failed many messages and has gone.</summary>
internal sealed class StockService : IAsyncDisposable
{
    public const string Work = "payments";
    public const string Errors = Work + "_error";
    public const string Skipped = Work + "_skipped";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly IConnection _raw;

    private StockService(Uri address, IConnection raw, RawQueues queues)
    {
        Address = address;
        _raw = raw;
        Queues = queues;
    }

    public Uri Address { get; }

    public RawQueues Queues { get; }

    /// <summary>Whether a quorum queue of this broker counts what a reader gives back: before 4.3.</summary>
    public bool CountsWhatIsGivenBack =>
        Version.Parse(Encoding.UTF8.GetString((byte[])_raw.ServerProperties!["version"]!).Split('-', '+')[0]) < new Version(4, 3);

    /// <summary>Fails messages: the odd ones are declined, every fifth meets a time-out; some are of a type that nobody consumes.</summary>
    public static async Task<StockService> CreateAsync(BrokerFixture broker, int failed, int skipped, bool quorum = false, int? deliveryLimit = null)
    {
        var address = await broker.CreateVirtualHostAsync();
        var raw = await BrokerFixture.ConnectAsync(address);
        var queues = new RawQueues(raw);
        await using (await RetryService.StartAsync(
            address,
            (_, cfg) => cfg.ReceiveEndpoint(Work, e =>
            {
                if (quorum)
                {
                    e.SetQuorumQueue();
                }

                if (deliveryLimit is { } limit)
                {
                    // MassTransit's error queues get the arguments of the work queue
                    e.SetQueueArgument("x-delivery-limit", limit);
                }

                e.UseMessageRetry(retry => retry.Immediate(1));
                e.Handler<Charge>(charge => Shop.Gateway.ChargeAsync(charge.Message.Number));
            }),
            x => { }))
        {
            for (var number = 0; number < failed; number++)
            {
                await queues.PublishAsync(Work, PropertiesOf(number), Envelope("Charge", number));
            }

            for (var number = 0; number < skipped; number++)
            {
                await queues.PublishAsync(Work, PropertiesOf(number), Envelope("Refund", number));
            }

            await Eventually.TrueAsync(
                async () => await queues.CountAsync(Errors) == failed && await queues.CountAsync(Skipped) == skipped,
                Deadline,
                () => "not all have failed");
        }

        return new StockService(address, raw, queues);
    }

    public ValueTask DisposeAsync() => _raw.DisposeAsync();

    private static BasicProperties PropertiesOf(int number) => new()
    {
        ContentType = "application/vnd.masstransit+json",
        ContentEncoding = "utf-8",
        Persistent = true,
        // every third has none
        MessageId = number % 3 == 0 ? null : Id(number),
        CorrelationId = $"correlation {number}",
        AppId = "shop",
        Type = "charge",
        Headers = new Dictionary<string, object?> { ["tenant"] = number % 2 == 0 ? "acme" : "umbrella", ["number"] = number, ["nested"] = new Dictionary<string, object?> { ["é"] = 1.5 } },
    };

    private static string Id(int number) => $"00000000-0000-0000-0000-{number:000000000000}";

    private static byte[] Envelope(string type, int number) => Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new
    {
        messageId = Id(number),
        messageType = new[] { $"urn:message:Retry.Messaging.BrokerTests.Estates:StockService+{type}" },
        message = new { number },
    }));

    public sealed record Charge(int Number);
}
