using RabbitMQ.Client;

namespace Retry.Messaging.Benchmarks.Raw;

/// <summary>Moves messages from one queue to an exchange as fast as RabbitMQ.Client goes: bytes as they come, confirms and acknowledgements in batches.</summary>
internal sealed class RawMover : AsyncDefaultBasicConsumer, IAsyncDisposable
{
    private const int Window = 1 << 13;
    private const ushort Prefetch = 2000;
    private const int AckEvery = 200;

    private readonly IChannel _publishing;
    private readonly string _exchange;
    private readonly string _routingKey;
    private readonly int _total;
    private readonly Lock _lock = new();
    private readonly Watermark _confirmed = new(Window);
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ulong _acknowledged;
    private string _tag = string.Empty;

    private RawMover(IChannel consuming, IChannel publishing, string exchange, string routingKey, int total)
        : base(consuming)
    {
        (_publishing, _exchange, _routingKey, _total) = (publishing, exchange, routingKey, total);
        publishing.BasicAcksAsync += (_, args) => ConfirmedAsync(args.DeliveryTag, args.Multiple);
    }

    public static async Task<RawMover> StartAsync(IConnection connection, string queue, string exchange, string routingKey, int total, CancellationToken cancellationToken)
    {
        var consuming = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await consuming.BasicQosAsync(0, Prefetch, global: false, cancellationToken);
        var publishing = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false, outstandingPublisherConfirmationsRateLimiter: null), cancellationToken);
        var mover = new RawMover(consuming, publishing, exchange, routingKey, total);
        mover._tag = await consuming.BasicConsumeAsync(queue, autoAck: false, mover, cancellationToken);
        return mover;
    }

    // one consumer on a channel of its own: its delivery tags and the publisher's sequence numbers are the same
    public override Task HandleBasicDeliverAsync(string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default) =>
        _publishing.BasicPublishAsync(_exchange, _routingKey, mandatory: true, new BasicProperties(properties), body, cancellationToken).AsTask();

    /// <summary>Waits until everything has been moved and acknowledged.</summary>
    public async Task FinishedAsync(CancellationToken cancellationToken)
    {
        await _finished.Task.WaitAsync(cancellationToken);

        // its answer comes after the last acknowledgement
        await Channel.BasicCancelAsync(_tag, cancellationToken: cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync();
        await _publishing.DisposeAsync();
    }

    private async Task ConfirmedAsync(ulong number, bool multiple)
    {
        ValueTask acknowledging;
        bool all;
        lock (_lock)
        {
            _confirmed.Settle(number, multiple);
            all = _confirmed.Value == (ulong)_total;
            if (!all && _confirmed.Value < _acknowledged + AckEvery)
            {
                return;
            }

            _acknowledged = _confirmed.Value;
            acknowledging = Channel.BasicAckAsync(_acknowledged, multiple: true);
        }

        await acknowledging;
        if (all)
        {
            _finished.TrySetResult();
        }
    }
}
