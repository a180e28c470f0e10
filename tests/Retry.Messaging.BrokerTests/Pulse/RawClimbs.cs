using System.Collections.Concurrent;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Retry.Messaging.BrokerTests.Pulse;

/// <summary>What climbs, as a raw client sees it: a copy of each message that enters a level of the ladder, with its time.</summary>
internal sealed class RawClimbs(IConnection connection) : IAsyncDisposable
{
    private readonly ConcurrentQueue<(DateTimeOffset At, string RoutingKey)> _seen = new();
    private readonly ConcurrentDictionary<string, bool> _messages = new();
    private IChannel? _channel;

    /// <summary>Begins to see all that is published to these exchanges of the ladder.</summary>
    public async Task StartAsync(params string[] exchanges)
    {
        _channel = await connection.CreateChannelAsync();
        var queue = (await _channel.QueueDeclareAsync()).QueueName;
        foreach (var exchange in exchanges)
        {
            await _channel.QueueBindAsync(queue, exchange, "#");
        }

        var consumer = new AsyncEventingBasicConsumer(_channel);
        consumer.ReceivedAsync += (_, args) =>
        {
            _seen.Enqueue((DateTimeOffset.UtcNow, args.RoutingKey));
            if (args.BasicProperties.MessageId is { Length: > 0 } id)
            {
                _messages[id] = true;
            }

            return Task.CompletedTask;
        };
        await _channel.BasicConsumeAsync(queue, autoAck: true, consumer);
    }

    /// <summary>How many messages entered so far, each counted once however often it comes by.</summary>
    public int Messages => _messages.Count;

    /// <summary>How often a message with a routing key entered so far.</summary>
    public int Seen(string routingKey) => _seen.Count(seen => seen.RoutingKey == routingKey);

    /// <summary>How many messages with a routing key entered within a time before a moment: they are still in its rung.</summary>
    public int Waiting(string routingKey, TimeSpan delay, DateTimeOffset at) =>
        _seen.Count(seen => seen.RoutingKey == routingKey && seen.At > at - delay && seen.At <= at);

    /// <summary>How many entered or left meanwhile.</summary>
    public int Moved(string routingKey, TimeSpan delay, DateTimeOffset from, DateTimeOffset until) =>
        _seen.Count(seen => seen.RoutingKey == routingKey && ((seen.At > from && seen.At <= until) || (seen.At + delay > from && seen.At + delay <= until)));

    public async ValueTask DisposeAsync()
    {
        if (_channel is { } channel)
        {
            await channel.DisposeAsync();
        }
    }
}
