using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Retry.Messaging.BrokerTests.Pulse;

/// <summary>What arrives in a queue, as a raw client sees it.</summary>
internal sealed class RawArrivals(IConnection connection) : IAsyncDisposable
{
    private readonly ConcurrentQueue<(DateTimeOffset At, string Body)> _arrived = new();
    private IChannel? _channel;

    /// <summary>The bodies, in the order of arrival.</summary>
    public IReadOnlyList<(DateTimeOffset At, string Body)> All => [.. _arrived];

    public async Task StartAsync(string queue)
    {
        _channel = await connection.CreateChannelAsync();
        var consumer = new AsyncEventingBasicConsumer(_channel);
        consumer.ReceivedAsync += (_, args) =>
        {
            _arrived.Enqueue((DateTimeOffset.UtcNow, Encoding.UTF8.GetString(args.Body.Span)));
            return Task.CompletedTask;
        };
        await _channel.BasicConsumeAsync(queue, autoAck: true, consumer);
    }

    /// <summary>How long after their time messages arrived whose body is the moment that they were sent at, in milliseconds.</summary>
    public IEnumerable<(DateTimeOffset At, TimeSpan Late)> Late(TimeSpan delay) =>
        from arrival in All
        let sent = DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(arrival.Body, CultureInfo.InvariantCulture))
        select (arrival.At, arrival.At - sent - delay);

    public async ValueTask DisposeAsync()
    {
        if (_channel is { } channel)
        {
            await channel.DisposeAsync();
        }
    }
}
