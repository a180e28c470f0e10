using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using RabbitMQ.Client;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>A plain consumer of a queue that notes what arrives, and when.</summary>
public sealed class Arrivals : IAsyncDisposable
{
    // at full speed hundreds arrive between two looks, and a test that stops then needs some that have not
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly IChannel _channel;
    private readonly ConcurrentQueue<Arrival> _all = new();
    private string _tag = string.Empty;

    private Arrivals(IChannel channel) => _channel = channel;

    public int Count => _all.Count;

    public IReadOnlyList<Arrival> All => [.. _all];

    public IReadOnlyList<long> At => [.. _all.Select(arrival => arrival.At)];

    public static async Task<Arrivals> StartAsync(IConnection connection, string queue, ushort prefetch = 0)
    {
        var channel = await connection.CreateChannelAsync();
        var arrivals = new Arrivals(channel);
        if (prefetch > 0)
        {
            await channel.BasicQosAsync(0, prefetch, global: false);
        }

        arrivals._tag = await channel.BasicConsumeAsync(queue, autoAck: prefetch == 0, new Consumer(channel, arrivals, acknowledge: prefetch > 0));
        return arrivals;
    }

    public Task WaitForAsync(int count, TimeSpan deadline) => Eventually.TrueAsync(() => Count >= count, deadline, () => $"{Count} of {count} messages arrived", Look);

    public async Task StopAsync() => await _channel.BasicCancelAsync(_tag);

    public async ValueTask DisposeAsync() => await _channel.DisposeAsync();

    public sealed record Arrival(string Id, long At, IReadOnlyBasicProperties Properties, string Exchange);

    private sealed class Consumer(IChannel channel, Arrivals arrivals, bool acknowledge) : AsyncDefaultBasicConsumer(channel)
    {
        public override async Task HandleBasicDeliverAsync(string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
        {
            arrivals._all.Enqueue(new Arrival(Encoding.UTF8.GetString(body.Span), Stopwatch.GetTimestamp(), properties, exchange));
            if (acknowledge)
            {
                await Channel.BasicAckAsync(deliveryTag, multiple: false, cancellationToken);
            }
        }
    }
}
