using RabbitMQ.Client;
using Retry.Messaging.Benchmarks.Service;
using Retry.Messaging.Ladder;

namespace Retry.Messaging.Benchmarks.Raw;

/// <summary>
/// Fail once and try again by hand, as fast as RabbitMQ.Client goes: no task, exception or header per message; the original
/// properties and bytes go up the ladder from the delivery itself; confirms are taken in batches, and deliveries acknowledged in batches.
/// As safe as ours: persistent, mandatory, and acknowledged only when the broker has confirmed.
/// </summary>
internal sealed class RawRetryLoop : AsyncDefaultBasicConsumer, IAsyncDisposable
{
    private const int Window = 1 << 14;
    private const int AckEvery = 100;
    private const int MostLooksForConfirms = 2000;

    private static readonly TimeSpan AckAtLeastEvery = TimeSpan.FromMilliseconds(5);

    private readonly IChannel _publishing;
    private readonly Func<int, LadderRoute> _failed;
    private readonly Action<int> _done;
    private readonly Func<IReadOnlyBasicProperties, BasicProperties> _copy;
    private readonly Lock _lock = new();
    private readonly ulong[] _deliveryOf = new ulong[Window];
    private readonly Watermark _confirmed = new(Window);
    private readonly Watermark _settled = new(Window);
    private readonly CancellationTokenSource _stop = new();
    private ulong _published;
    private ulong _acknowledged;
    private Task _flushing = Task.CompletedTask;
    private string _tag = string.Empty;

    private RawRetryLoop(IChannel consuming, IChannel publishing, Func<int, LadderRoute> failed, Action<int> done, Func<IReadOnlyBasicProperties, BasicProperties> copy)
        : base(consuming)
    {
        (_publishing, _failed, _done, _copy) = (publishing, failed, done, copy);
        publishing.BasicAcksAsync += (_, args) => ConfirmedAsync(args.DeliveryTag, args.Multiple);
    }

    /// <summary>Starts consuming.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="queue">The work queue.</param>
    /// <param name="prefetch">How many deliveries may be unacknowledged.</param>
    /// <param name="failed">Tells the way of a parcel that fails.</param>
    /// <param name="done">Told of a parcel that came back.</param>
    /// <param name="copy">Makes the properties of the copy that climbs; null for the original ones.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<RawRetryLoop> StartAsync(IConnection connection, string queue, ushort prefetch, Func<int, LadderRoute> failed, Action<int> done, Func<IReadOnlyBasicProperties, BasicProperties>? copy, CancellationToken cancellationToken)
    {
        var consuming = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await consuming.BasicQosAsync(0, prefetch, global: false, cancellationToken);
        var publishing = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false, outstandingPublisherConfirmationsRateLimiter: null), cancellationToken);
        var loop = new RawRetryLoop(consuming, publishing, failed, done, copy ?? (static original => new BasicProperties(original)));
        loop._flushing = loop.FlushAsync();
        loop._tag = await consuming.BasicConsumeAsync(queue, autoAck: false, loop, cancellationToken);
        return loop;
    }

    public override async Task HandleBasicDeliverAsync(string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
    {
        var number = ParcelBody.NumberOf(properties);
        if (exchange.Length > 0)
        {
            // by way of the ladder
            _done(number);
            lock (_lock)
            {
                _settled.Settle(deliveryTag);
            }
        }
        else
        {
            var route = _failed(number);
            lock (_lock)
            {
                _deliveryOf[++_published % Window] = deliveryTag;
            }

            await _publishing.BasicPublishAsync(route.Exchange, route.RoutingKey, mandatory: true, _copy(properties), body, cancellationToken);
        }

        await AcknowledgeAsync(AckEvery);
    }

    public async ValueTask DisposeAsync()
    {
        // what has arrived in its queue may be confirmed a moment later
        using var confirms = new PeriodicTimer(AckAtLeastEvery);
        for (var looks = 0; looks < MostLooksForConfirms && HasUnconfirmed(); looks++)
        {
            await confirms.WaitForNextTickAsync();
        }

        await _stop.CancelAsync();
        await _flushing;
        await AcknowledgeAsync(1);

        // what was acknowledged right before a close can be lost; the answer to a cancel comes after it
        await Channel.BasicCancelAsync(_tag);
        await Channel.DisposeAsync();
        await _publishing.DisposeAsync();
        _stop.Dispose();
    }

    private bool HasUnconfirmed()
    {
        lock (_lock)
        {
            return _confirmed.Value < _published;
        }
    }

    private Task ConfirmedAsync(ulong number, bool multiple)
    {
        lock (_lock)
        {
            for (var confirmed = multiple ? _confirmed.Value + 1 : number; confirmed <= number; confirmed++)
            {
                _settled.Settle(_deliveryOf[confirmed % Window]);
            }

            _confirmed.Settle(number, multiple);
        }

        return AcknowledgeAsync(AckEvery).AsTask();
    }

    private ValueTask AcknowledgeAsync(int atLeast)
    {
        lock (_lock)
        {
            if (_settled.Value < _acknowledged + (ulong)atLeast)
            {
                return ValueTask.CompletedTask;
            }

            // queued inside the lock: an acknowledgement that overtakes a later one would close the channel
            _acknowledged = _settled.Value;
            return Channel.BasicAckAsync(_acknowledged, multiple: true);
        }
    }

    private async Task FlushAsync()
    {
        using var timer = new PeriodicTimer(AckAtLeastEvery);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                await AcknowledgeAsync(1);
            }
        }
        catch (OperationCanceledException)
        {
            // the end
        }
    }
}
