using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Observing;

/// <summary>A plain client that looks at queues from outside: what a test counts comes from here, never from our own code.</summary>
public sealed class RawClient : IAsyncDisposable
{
    private readonly IConnection _connection;

    private RawClient(IConnection connection) => _connection = connection;

    public IConnection Connection => _connection;

    public static async Task<RawClient> ConnectAsync(Uri broker) => new(await BrokerFixture.ConnectAsync(broker));

    /// <summary>The ready messages of a queue, or <see langword="null"/> when there is none.</summary>
    public async Task<uint?> CountAsync(string queue) => (await LookAsync(queue))?.MessageCount;

    private async Task<uint?> ConsumersAsync(string queue) => (await LookAsync(queue))?.ConsumerCount;

    private async Task<QueueDeclareOk?> LookAsync(string queue)
    {
        await using var channel = await _connection.CreateChannelAsync();
        try
        {
            return await channel.QueueDeclarePassiveAsync(queue);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return null;
        }
    }

    private static async Task WaitAsync(string queue, Func<string, Task<uint?>> look, string what, uint wanted, TimeSpan deadline)
    {
        uint? found = null;
        await Eventually.TrueAsync(
            async () => (found = await look(queue)) == wanted,
            deadline,
            () => $"queue '{queue}' has {(found is null ? "not been declared" : $"{found} {what}")}; wanted {wanted}");
    }

    /// <summary>Waits until a queue holds that many ready messages.</summary>
    public Task WaitForCountAsync(string queue, uint wanted, TimeSpan deadline) => WaitAsync(queue, CountAsync, "ready messages", wanted, deadline);

    /// <summary>Waits until a queue has that many consumers.</summary>
    public Task WaitForConsumersAsync(string queue, uint wanted, TimeSpan deadline) => WaitAsync(queue, ConsumersAsync, "consumers", wanted, deadline);

    /// <summary>Declares a queue that gets a copy of everything that an exchange sees from now on.</summary>
    public async Task<string> TapAsync(string exchange, string type = ExchangeType.Fanout)
    {
        await using var channel = await _connection.CreateChannelAsync();
        await channel.ExchangeDeclareAsync(exchange, type, durable: true, autoDelete: false);
        var queue = "tap-" + exchange;
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
        await channel.QueueBindAsync(queue, exchange, string.Empty);
        return queue;
    }

    /// <summary>Declares a durable quorum queue, as a service would.</summary>
    public async Task DeclareQueueAsync(string queue)
    {
        await using var channel = await _connection.CreateChannelAsync();
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" });
    }

    public async Task BindAsync(string queue, string exchange, string routingKey)
    {
        await using var channel = await _connection.CreateChannelAsync();
        await channel.QueueBindAsync(queue, exchange, routingKey);
    }

    /// <summary>Publishes with a confirm.</summary>
    public async Task PublishAsync(string exchange, string routingKey, ReadOnlyMemory<byte> body, BasicProperties? properties = null)
    {
        await using var channel = await _connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        await channel.BasicPublishAsync(exchange, routingKey, mandatory: true, properties ?? new BasicProperties(), body);
    }

    /// <summary>Publishes many, and waits for all confirms.</summary>
    public async Task PublishManyAsync(string exchange, string routingKey, IEnumerable<(byte[] Body, BasicProperties Properties)> messages)
    {
        await using var channel = await _connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        foreach (var window in messages.Chunk(50))
        {
            await Task.WhenAll(window.Select(message => channel.BasicPublishAsync(exchange, routingKey, mandatory: true, message.Properties, message.Body).AsTask()));
        }
    }

    /// <summary>Takes all ready messages out of a queue.</summary>
    public async Task<IReadOnlyList<BasicGetResult>> DrainAsync(string queue)
    {
        await using var channel = await _connection.CreateChannelAsync();
        var messages = new List<BasicGetResult>();
        while (await channel.BasicGetAsync(queue, autoAck: true) is { } message)
        {
            messages.Add(message);
        }

        return messages;
    }

    public async ValueTask DisposeAsync() => await _connection.DisposeAsync();
}
