using System.Text;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;

namespace Retry.Messaging.BrokerTests.Parking;

/// <summary>A virtual host with the foot of the ladder and one retry point, filled and read by a plain client.</summary>
internal sealed class RawLot : IAsyncDisposable
{
    public const string Work = "payments";
    public const string Parked = Work + ".parked";

    private static readonly Dictionary<string, object?> Quorum = new() { ["x-queue-type"] = "quorum" };

    // A replay passes no rung, and 57 quorum queues a test would take longer than the tests.
    private static readonly TopologyPlan FootOfTheLadder = new()
    {
        Exchanges = [.. TopologyPlan.Ladder.Exchanges.Where(exchange => exchange.Name is BrokerNames.LostExchange or BrokerNames.ParkingExchange or BrokerNames.ReturnExchange)],
        Queues = [.. TopologyPlan.Ladder.Queues.Where(queue => queue.Name == BrokerNames.LostQueue)],
        Bindings = [.. TopologyPlan.Ladder.Bindings.Where(binding => binding.Source == BrokerNames.LostExchange)],
    };

    private readonly IConnection _raw;

    private RawLot(Uri address, IConnection raw, IConnection connection, IChannel channel)
    {
        Address = address;
        _raw = raw;
        Connection = connection;
        Channel = channel;
    }

    public Uri Address { get; }

    /// <summary>The connection for the code under test.</summary>
    public IConnection Connection { get; }

    /// <summary>The plain client's channel, with confirms.</summary>
    public IChannel Channel { get; }

    public static async Task<RawLot> CreateAsync(BrokerFixture broker, bool withRelease = false, Dictionary<string, object?>? workArguments = null)
    {
        var address = await broker.CreateVirtualHostAsync();
        var raw = await BrokerFixture.ConnectAsync(address);
        var connection = await BrokerFixture.ConnectAsync(address);
        var channel = await raw.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        await channel.QueueDeclareAsync(Work, durable: true, exclusive: false, autoDelete: false, workArguments ?? Quorum);
        await TopologyDeclarer.DeclareAsync(connection, FootOfTheLadder.Then(TopologyPlan.Point(RetryPointNames.For(Work), withRelease)));
        return new RawLot(address, raw, connection, channel);
    }

    /// <summary>Opens a channel that does not wait for each of many confirms.</summary>
    public static Task<IChannel> OpenForManyAsync(IConnection connection, bool tracking) => connection.CreateChannelAsync(
        new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: tracking, outstandingPublisherConfirmationsRateLimiter: null));

    /// <summary>Parks a message as the library does.</summary>
    public async Task ParkAsync(string id, ParkReason? reason = null, Action<BasicProperties>? change = null, string? plan = null, string body = "{}", IChannel? through = null, byte[]? bytes = null)
    {
        var at = DateTimeOffset.UtcNow;
        var properties = new BasicProperties { MessageId = id, ContentType = "application/json", Persistent = true, Headers = new Dictionary<string, object?> { ["tenant"] = "acme", ["MT-Fault-ExceptionType"] = "Shop.GatewayException", ["MT-Fault-MessageType"] = "Shop.Charge", ["MT-Reason"] = "fault", ["MT-Redelivery-Count"] = 2 } };
        RetryHeaderWriter.Write(
            properties.Headers!,
            new RetryState
            {
                Id = id,
                Attempt = 4,
                FirstFailedAt = at.AddMinutes(-1),
                Deadline = at.AddHours(1),
                Error = "Shop.GatewayException: 503",
                History = RetryHistory.Empty.With(new RetryAttempt(3, at, "host", "Shop.GatewayException", "503")),
                Reason = reason ?? ParkReason.Exhausted,
                Plan = plan,
                Kept = new KeptProperties { Exchange = "Shop:Charge", RoutingKey = "", Priority = 3, Expiration = "60000", ExpiresAt = at.AddMinutes(-5) },
            },
            Work);
        change?.Invoke(properties);
        await (through ?? Channel).BasicPublishAsync(BrokerNames.ParkingExchange, Work, mandatory: true, properties, bytes ?? Encoding.UTF8.GetBytes(body));
    }

    /// <summary>Parks many, in few round trips.</summary>
    public async Task ParkManyAsync(int count, Func<int, ParkReason>? reason = null, string body = "{}")
    {
        foreach (var batch in Enumerable.Range(0, count).Chunk(50))
        {
            await Task.WhenAll(batch.Select(i => ParkAsync(Id(i), reason?.Invoke(i), body: body)));
        }
    }

    public static string Id(int number) => $"id-{number:000000}";

    public Task<uint> CountAsync(string queue) => Channel.MessageCountAsync(queue);

    /// <summary>Empties a queue and gives what was in it.</summary>
    public async Task<IReadOnlyList<BasicGetResult>> DrainAsync(string queue)
    {
        var all = new List<BasicGetResult>();
        while (await Channel.BasicGetAsync(queue, autoAck: true) is { } message)
        {
            all.Add(message);
        }

        return all;
    }

    /// <summary>Waits until a queue has a number of ready messages: closing a channel returns them a moment later.</summary>
    public async Task<uint> WaitForCountAsync(string queue, uint wanted)
    {
        var count = 0u;
        await Eventually.IsTrueAsync(async () => (count = await CountAsync(queue)) == wanted, TimeSpan.FromSeconds(20));
        return count;
    }

    /// <summary>Waits until a queue has at least so many ready messages, and looks often.</summary>
    public Task WaitForMoreAsync(string queue, int wanted) => Eventually.TrueAsync(
        async () => await CountAsync(queue) >= wanted,
        TimeSpan.FromMinutes(4),
        () => $"'{queue}' has fewer than {wanted}",
        every: TimeSpan.FromMilliseconds(2));

    public static string? Header(BasicGetResult message, string name) =>
        message.BasicProperties.Headers?.TryGetValue(name, out var value) == true ? value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : value?.ToString() : null;

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        await _raw.DisposeAsync();
    }
}
