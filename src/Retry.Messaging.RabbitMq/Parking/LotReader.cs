using System.Runtime.CompilerServices;
using System.Threading.Channels;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.RabbitMq.Parking;

/// <summary>Reads a parking lot, or the lost queue, once, from front to back, by holding its messages unacknowledged on a channel of its own.</summary>
/// <remarks>
/// <list type="number">
/// <item>A passive declaration counts what is there: that many deliveries are read, and no more.</item>
/// <item>A consumer fills up to its prefetch; what is held blocks it, so further consumers follow as room gets scarce.</item>
/// <item>When nothing arrives for a moment the broker is asked what is left: none twice, and somebody else has the rest.</item>
/// <item>Closing the channel makes everything ready again that was not acknowledged.</item>
/// </list>
/// <c>basic.get</c> would return a message by requeueing it, which rotates the queue and counts towards delivery limits.
/// </remarks>
internal sealed class LotReader : IAsyncDisposable
{
    /// <summary>The prefetch of the first consumer, before anything is known about sizes.</summary>
    public const ushort FirstWindow = 1000;

    private const int SmallestWindow = 100;
    // the protocol's field has 16 bits
    private const int LargestWindow = 65_000;
    // What may be on its way to us at once, so that large messages take no more memory than small ones.
    private const long WindowBytes = 64L * 1024 * 1024;
    private const int HeaderBytes = 2048;

    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Stalled = TimeSpan.FromSeconds(60);

    private readonly IChannel _channel;
    private readonly LotSource _source;
    private readonly ParkedFilter _filter;
    private readonly string? _exceptPlan;
    private readonly bool _withBodies;
    private readonly Channel<LotDelivery> _arrived = Channel.CreateUnbounded<LotDelivery>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private readonly List<string> _consumers = [];
    private Task<bool>? _waiting;
    private long _bytes;
    private long _capacity;
    private long _held;
    private volatile bool _closing;

    private LotReader(IChannel channel, LotSource source, long total, ParkedFilter filter, string? exceptPlan, bool withBodies)
    {
        _channel = channel;
        _source = source;
        Total = total;
        _filter = filter;
        _exceptPlan = exceptPlan;
        _withBodies = withBodies;
    }

    /// <summary>How many messages were ready at the start.</summary>
    public long Total { get; }

    /// <summary>How many were read.</summary>
    public long Examined { get; private set; }

    /// <summary>How many of those the filter selected.</summary>
    public long Selected { get; private set; }

    /// <summary>Opens a parking lot. Messages that <paramref name="exceptPlan"/> has replayed already are not selected.</summary>
    /// <exception cref="ParkingException">There is none.</exception>
    public static async Task<LotReader> OpenAsync(IConnection connection, LotSource source, ParkedFilter filter, string? exceptPlan, bool withBodies, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        try
        {
            var total = await channel.MessageCountAsync(source.Queue, cancellationToken).ConfigureAwait(false);
            return new LotReader(channel, source, total, filter, exceptPlan, withBodies);
        }
        catch (Exception exception)
        {
            await channel.DisposeAsync().ConfigureAwait(false);
            throw exception is OperationInterruptedException { ShutdownReason: { } reason } refused ? Translate(source, reason, refused) : exception;
        }
    }

    /// <summary>Reads every message that was there at the start; those not selected come without their message.</summary>
    public async IAsyncEnumerable<LotDelivery> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (Examined < Total)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_capacity - Interlocked.Read(ref _held) < FirstWindow / 2)
            {
                await AddConsumerAsync(cancellationToken).ConfigureAwait(false);
            }

            if (_arrived.Reader.TryRead(out var delivery))
            {
                Examined++;
                Selected += delivery.Message is null ? 0 : 1;
                yield return delivery;
            }
            else if (!await WaitAsync(cancellationToken).ConfigureAwait(false))
            {
                yield break;
            }
        }
    }

    /// <summary>Reads what the filter selects and holds everything until the end: looking changes nothing.</summary>
    public async IAsyncEnumerable<ParkedMessage> LookAsync(int? limit, IProgress<ParkingProgress>? progress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var delivery in ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            Hold();
            if (Examined % 100 == 0)
            {
                progress?.Report(Progress);
            }

            if (delivery.Message is { } message)
            {
                yield return message;
                if (Selected == limit)
                {
                    break;
                }
            }
        }

        progress?.Report(Progress);
    }

    /// <summary>Tells that the last delivery read stays unacknowledged and so takes up room.</summary>
    public void Hold() => Interlocked.Increment(ref _held);

    /// <summary>Takes a message out of the parking lot.</summary>
    /// <exception cref="ParkingException">The channel is gone, and the message is still parked.</exception>
    public async ValueTask AcknowledgeAsync(ulong tag)
    {
        try
        {
            await _channel.BasicAckAsync(tag, multiple: false).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsGone(exception))
        {
            throw Lost(exception.Message, exception);
        }
    }

    /// <summary>How far it is.</summary>
    public ParkingProgress Progress => new(Examined, Total, Selected);

    public async ValueTask DisposeAsync()
    {
        _closing = true;
        try
        {
            // The broker's channel holds acknowledgements back when many come at once, and forgets those when it closes: up to
            // 750 of 3,000 messages came back. Cancelling waits in line behind what was sent, and then the rest follows.
            foreach (var tag in _consumers)
            {
                await _channel.BasicCancelAsync(tag, noWait: false, CancellationToken.None).ConfigureAwait(false);
            }

            await _channel.CloseAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsGone(exception))
        {
            // gone already, and with it every delivery that was held
        }

        await _channel.DisposeAsync().ConfigureAwait(false);
    }

    private static ParkingException Translate(LotSource source, ShutdownEventArgs reason, Exception exception) => reason.ReplyCode switch
    {
        Constants.NotFound => new ParkingException(source.WhenMissing, exception),
        Constants.AccessRefused => new ParkingException($"The user may not read queue '{source.Queue}': {reason.ReplyText}. Use a user with read permission on it.", exception),
        _ => new ParkingException($"The broker refused queue '{source.Queue}': {reason.ReplyCode} {reason.ReplyText}.", exception),
    };

    private async Task AddConsumerAsync(CancellationToken cancellationToken)
    {
        var size = HeaderBytes + (Interlocked.Read(ref _bytes) / Math.Max(1, Examined));
        var window = (ushort)(_capacity == 0 ? FirstWindow : Math.Clamp(WindowBytes / size, SmallestWindow, LargestWindow));
        try
        {
            await _channel.BasicQosAsync(0, window, global: false, cancellationToken).ConfigureAwait(false);
            _consumers.Add(await _channel.BasicConsumeAsync(_source.Queue, autoAck: false, new LotConsumer(_channel, Deliver, End), cancellationToken).ConfigureAwait(false));
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason is { } reason)
        {
            throw Translate(_source, reason, exception);
        }

        _capacity += window;
    }

    private void Deliver(ulong tag, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        if (_closing)
        {
            return;
        }

        try
        {
            var message = _source.Read(exchange, routingKey, properties, body);
            var selected = _filter.Matches(message) && (_exceptPlan is null || message.Plan != _exceptPlan);
            if (selected && _withBodies)
            {
                // a copy: the client reuses the delivery's memory
                message.Body = body.ToArray();
            }

            Interlocked.Add(ref _bytes, body.Length);
            _arrived.Writer.TryWrite(selected ? new LotDelivery(tag, message, properties) : new LotDelivery(tag, null, null));
        }
#pragma warning disable CA1031 // whatever it is, the reading must end with it instead of waiting for a delivery that has come
        catch (Exception exception)
        {
            _arrived.Writer.TryComplete(exception);
        }
#pragma warning restore CA1031
    }

    private void End(string why)
    {
        if (!_closing)
        {
            _arrived.Writer.TryComplete(Lost(why, null));
        }
    }

    private ParkingException Lost(string why, Exception? exception) =>
        new($"Lost queue '{_source.Queue}' after {Examined} of {Total} messages: {why}. What was not moved is still there; run it again.", exception);

    private static bool IsGone(Exception exception) =>
        exception is OperationInterruptedException or IOException or TimeoutException or ObjectDisposedException or OperationCanceledException;

    private async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        var empty = false;
        for (var waited = TimeSpan.Zero; ; waited += Quiet)
        {
            _waiting ??= _arrived.Reader.WaitToReadAsync(CancellationToken.None).AsTask();
            try
            {
                var arrived = await _waiting.WaitAsync(Quiet, cancellationToken).ConfigureAwait(false);
                _waiting = null;
                return arrived;
            }
            catch (TimeoutException)
            {
                // nothing came: ask
            }

            var left = await CountReadyAsync(cancellationToken).ConfigureAwait(false);
            if (left == 0 && empty)
            {
                return false;
            }

            empty = left == 0;
            if (waited >= Stalled)
            {
                throw new ParkingException($"Queue '{_source.Queue}' has {left} messages ready but delivered none for {Stalled.TotalSeconds:0} s, after {Examined} of {Total}. Look at the broker's alarms and the queue's leader, then run it again.");
            }
        }
    }

    private async Task<uint> CountReadyAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _channel.MessageCountAsync(_source.Queue, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsGone(exception) && !cancellationToken.IsCancellationRequested)
        {
            throw Lost(exception.Message, exception);
        }
    }
}
