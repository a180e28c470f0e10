using System.Runtime.CompilerServices;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>Reads a parking lot, or the lost queue, once, from front to back, by holding its messages unacknowledged on channels of its own.</summary>
/// <remarks>
/// <list type="number">
/// <item>A passive declaration counts what is there: that many deliveries are read, and no more.</item>
/// <item>A consumer fills up to its prefetch; what is held blocks it, so further consumers follow as room gets scarce.</item>
/// <item>When nothing arrives for a moment the broker is asked how many are ready. When it says none twice, another reader has the rest.</item>
/// <item>Closing the channels makes everything ready again that was not acknowledged; the reading ends when it is.</item>
/// </list>
/// <c>basic.get</c> would return a message by requeueing it, which rotates the queue and counts towards delivery limits.
/// </remarks>
internal sealed class LotReader : IAsyncDisposable
{
    private readonly LotChannels _channels;
    private readonly LotRenewal? _renewal;
    private readonly LotSource _source;
    private readonly LotRequest _request;
    private readonly LotArrivals _arrived;
    private long _bytes;
    private long _held;
    private long _delivered;
    private long _acknowledged;
    private volatile bool _closing;

    private LotReader(LotChannels channels, LotRenewal? renewal, LotSource source, LotRequest request, TimeProvider time, long total)
    {
        _channels = channels;
        _renewal = renewal;
        _source = source;
        _request = request;
        _arrived = new LotArrivals(LookAsync, time);
        Total = total;
    }

    /// <summary>How many messages were ready at the start.</summary>
    public long Total { get; }

    /// <summary>How many were read.</summary>
    public long Examined { get; private set; }

    /// <summary>How many of those the filter selected.</summary>
    public long Selected { get; private set; }

    /// <summary>Whether the next message is there already.</summary>
    public bool HasArrived => _arrived.HasArrived;

    /// <summary>Opens a parking lot.</summary>
    /// <exception cref="ParkingException">There is none.</exception>
    public static async Task<LotReader> OpenAsync(
        IConnection connection,
        LotSource source,
        LotRequest request,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var questions = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        var channels = new LotChannels(connection, questions, source.Queue, request.TakesOut, source.Nacks, time);
        try
        {
            var total = await channels.CountReadyAsync(cancellationToken).ConfigureAwait(false);
            var renewal = source.DeliveryLimit is { } limit ? new LotRenewal(connection, source, limit, time) : null;
            return new LotReader(channels, renewal, source, request, time, total);
        }
        catch (Exception exception)
        {
            await channels.DisposeAsync().ConfigureAwait(false);
            throw exception is OperationInterruptedException { ShutdownReason: { } reason } refused ? source.Refusal(reason, refused) : exception;
        }
    }

    /// <summary>Reads every message that was there at the start; those not selected come without their message.</summary>
    public async IAsyncEnumerable<LotDelivery> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (Examined < Total)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_channels.Capacity - Interlocked.Read(ref _held) < LotChannels.FirstWindow / 2)
            {
                await AddConsumerAsync(cancellationToken).ConfigureAwait(false);
            }

            if (_arrived.TryTake(out var delivery))
            {
                Examined++;
                Selected += delivery.Message is null ? 0 : 1;
                yield return delivery;
            }
            else if (!await _arrived.WaitAsync(Stalled, cancellationToken).ConfigureAwait(false))
            {
                yield break;
            }
        }
    }

    /// <summary>Reads what the filter selects and holds everything until the end: looking changes nothing.</summary>
    public async IAsyncEnumerable<ParkedMessage> LookAsync(
        int? limit,
        IProgress<ParkingProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var delivery in ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            await HoldAsync(delivery).ConfigureAwait(false);
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

    /// <summary>Tells that a delivery stays in the lot: unacknowledged, which takes up room, or renewed.</summary>
    public async ValueTask HoldAsync(LotDelivery delivery)
    {
        if (_renewal is not null && delivery.BodyToRenew is not null)
        {
            await _renewal.BeginAsync(delivery, AcknowledgeAsync).ConfigureAwait(false);
            return;
        }

        Interlocked.Increment(ref _held);
    }

    /// <summary>Takes a message out of the parking lot.</summary>
    /// <exception cref="ParkingException">The channel is gone, and the message is still parked.</exception>
    public async ValueTask AcknowledgeAsync(LotDelivery delivery)
    {
        try
        {
            await delivery.Channel.BasicAckAsync(delivery.Tag, multiple: false).ConfigureAwait(false);
            Interlocked.Increment(ref _acknowledged);
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception))
        {
            throw Lost(Why(exception), exception);
        }
    }

    public ParkingProgress Progress => new(Examined, Total, Selected);

    public async ValueTask DisposeAsync()
    {
        _closing = true;
        if (_renewal is not null)
        {
            await RenewUnreadAsync(_renewal).ConfigureAwait(false);
        }

        await _channels.GiveBackAsync(() => Interlocked.Read(ref _delivered) - Interlocked.Read(ref _acknowledged)).ConfigureAwait(false);
        await _channels.DisposeAsync().ConfigureAwait(false);
        _renewal?.ThrowIfFailed();
    }

    // What has come and was not read goes back, too. Before the consumers are cancelled: the broker's channel may hold an
    // acknowledgement back, and forgets it when it closes, but a cancelling waits for it.
    private async Task RenewUnreadAsync(LotRenewal renewal)
    {
        while (_arrived.TryTake(out var delivery))
        {
            await HoldAsync(delivery).ConfigureAwait(false);
        }

        await renewal.DisposeAsync().ConfigureAwait(false);
    }

    private async Task AddConsumerAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _channels.AddConsumerAsync(
                Interlocked.Read(ref _bytes) / Math.Max(1, Examined),
                channel => new LotConsumer(channel, Deliver, End),
                cancellationToken).ConfigureAwait(false);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason is { } reason)
        {
            throw _source.Refusal(reason, exception);
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception) && !cancellationToken.IsCancellationRequested)
        {
            throw Lost(Why(exception), exception);
        }
    }

    private void Deliver(IChannel channel, ulong tag, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        Interlocked.Increment(ref _delivered);
        if (_closing)
        {
            return;
        }

        try
        {
            Interlocked.Add(ref _bytes, body.Length);
            var message = _request.Selected(_source, exchange, routingKey, properties, body);
            var mustNotGoBack = _renewal?.Concerns(properties) == true;
            _arrived.Add(new LotDelivery(channel, tag, message, message is null && !mustNotGoBack ? null : properties)
            {
                BodyToRenew = mustNotGoBack ? body.ToArray() : null,
            });
        }
#pragma warning disable CA1031 // whatever it is, the reading must end with it instead of waiting for a delivery that has come
        catch (Exception exception)
        {
            _arrived.End(exception);
        }
#pragma warning restore CA1031
    }

    private void End(string why) => _ = !_closing && _arrived.End(Lost(why, null));

    private ParkingException Stalled(uint left, TimeSpan patience) =>
        new($"Queue '{_source.Queue}' has messages ready ({left}) but delivered none for {patience.TotalSeconds:0} s, after {Examined} of {Total}. Look at the broker's alarms and the queue's leader, then run the command again.");

    private ParkingException Lost(string why, Exception? exception) =>
        new($"Reading queue '{_source.Queue}' stopped after {Examined} of {Total} messages: {why}. Messages that were not moved are still there. Run the command again.", exception);

    // the client cancels a task whose answer does not come in time
    private static string Why(Exception exception) =>
        exception is OperationCanceledException or TimeoutException ? "the broker did not answer in time" : exception.Message.TrimEnd('.');

    private async Task<(uint Ready, bool OthersRead)> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _channels.LookAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception) && !cancellationToken.IsCancellationRequested)
        {
            throw Lost(Why(exception), exception);
        }
    }
}
