using RabbitMQ.Client;

namespace Retry.Messaging.Benchmarks.Raw;

/// <summary>Publishes as fast as the client can: one channel, many unconfirmed at once, confirms counted and nothing else.</summary>
internal sealed class RawPublisher : IAsyncDisposable
{
    private const int Window = 2000;

    private readonly IChannel _channel;
    private readonly SemaphoreSlim _room = new(Window, Window);
    private readonly Watermark _confirmed = new(2 * Window);

    private RawPublisher(IChannel channel)
    {
        _channel = channel;
        channel.BasicAcksAsync += (_, args) =>
        {
            var before = _confirmed.Value;
            _confirmed.Settle(args.DeliveryTag, args.Multiple);
            if (_confirmed.Value > before)
            {
                _room.Release((int)(_confirmed.Value - before));
            }

            return Task.CompletedTask;
        };
    }

    public static async Task<RawPublisher> OpenAsync(IConnection connection, CancellationToken cancellationToken) =>
        new(await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false, outstandingPublisherConfirmationsRateLimiter: null), cancellationToken));

    /// <summary>Publishes as soon as there is room in the window.</summary>
    public async ValueTask PublishAsync(string exchange, string routingKey, BasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken);
        await _channel.BasicPublishAsync(exchange, routingKey, mandatory: true, properties, body, cancellationToken);
    }

    /// <summary>Waits until everything is confirmed.</summary>
    public async Task ConfirmedAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < Window; i++)
        {
            await _room.WaitAsync(cancellationToken);
        }

        _room.Release(Window);
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        _room.Dispose();
    }
}
