using System.Runtime.CompilerServices;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>Reads a parking lot, or the lost queue, once, from front to back, by holding its messages unacknowledged on channels of its own.</summary>
/// <remarks>
/// <list type="number">
/// <item>A passive declaration counts what is there: that many deliveries are read; of a set, a moment longer.</item>
/// <item>A consumer fills up to its prefetch; what is held blocks it, so further consumers follow, well before the room is used up.</item>
/// <item>What is not selected is held as it comes. Who reads hears of it in bulk: to be woken costs more than to look at a message.</item>
/// <item>When nothing arrives for a moment the broker is asked how many are ready. When it says none twice, another reader has the rest.</item>
/// <item>Closing the channels makes everything ready again that was not acknowledged; the reading ends when it is.</item>
/// </list>
/// <c>basic.get</c> would return a message by requeueing it, which rotates the queue and counts towards delivery limits.
/// </remarks>
internal sealed class LotReader : IAsyncDisposable
{
    private static readonly TimeSpan LatePause = TimeSpan.FromMilliseconds(20);

    private readonly LotChannels _channels;
    private readonly LotRenewal? _renewal;
    private readonly LotSource _source;
    private readonly LotRequest _request;
    private readonly LotArrivals _arrived;
    private readonly LotCounts _counts;
    private readonly TimeProvider _time;
    private long _selected;
    private volatile bool _closing;

    private LotReader(LotChannels channels, LotRenewal? renewal, LotSource source, LotRequest request, TimeProvider time, long total)
    {
        _channels = channels;
        _renewal = renewal;
        _source = source;
        _request = request;
        _time = time;
        _counts = new LotCounts(total, time);
        _arrived = new LotArrivals(LookAsync, time);
        Total = total;
    }

    /// <summary>How many messages were ready at the start.</summary>
    public long Total { get; }

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

    /// <summary>Reads every message that was there at the start, and streams those that the filter selects, and those that may not go back as they are.</summary>
    public async IAsyncEnumerable<LotDelivery> ReadAsync(IProgress<ParkingProgress>? progress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var told = 0L;
        while ((_request.Of is not null && HasArrived) || !_counts.IsOver(_request.Of))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_counts.Examined - told >= 100)
            {
                told = _counts.Examined;
                progress?.Report(Progress);
            }

            if (_channels.IsScarce(_counts))
            {
                await AddConsumersAsync(cancellationToken).ConfigureAwait(false);
            }

            if (_arrived.TryTake(out var delivery))
            {
                if (!delivery.IsNone)
                {
                    _counts.Read(delivery);
                    _selected += delivery.Message is null ? 0 : 1;
                    yield return delivery;
                }
            }
            else if (_counts.Examined >= Total)
            {
                await Task.Delay(LatePause, _time, cancellationToken).ConfigureAwait(false);
            }
            else if (!await _arrived.WaitAsync((left, patience) => _source.Stalled(left, patience, Progress), cancellationToken).ConfigureAwait(false))
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
        await foreach (var delivery in ReadAsync(progress, cancellationToken).ConfigureAwait(false))
        {
            await HoldAsync(delivery).ConfigureAwait(false);
            if (delivery.Message is { } message)
            {
                yield return message;
                if (_selected == limit)
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

        _counts.Hold();
    }

    /// <summary>Takes a message out of the parking lot.</summary>
    /// <exception cref="ParkingException">The channel is gone, and the message is still parked.</exception>
    public async ValueTask AcknowledgeAsync(LotDelivery delivery)
    {
        try
        {
            await delivery.Channel.BasicAckAsync(delivery.Tag, multiple: false).ConfigureAwait(false);
            _counts.Acknowledge();
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception))
        {
            throw _source.Lost(BrokerFailures.Why(exception), Progress, exception);
        }
    }

    public ParkingProgress Progress => new(_counts.Examined, Total, _selected);

    public async ValueTask DisposeAsync()
    {
        _closing = true;
        if (_renewal is not null)
        {
            await RenewUnreadAsync(_renewal).ConfigureAwait(false);
        }

        await _channels.GiveBackAsync(() => _counts.Unsettled).ConfigureAwait(false);
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

    private async Task AddConsumersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _channels.AddConsumersAsync(_counts, channel => new LotConsumer(channel, Deliver, End), cancellationToken).ConfigureAwait(false);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason is { } reason)
        {
            throw _source.Refusal(reason, exception);
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception) && !cancellationToken.IsCancellationRequested)
        {
            throw _source.Lost(BrokerFailures.Why(exception), Progress, exception);
        }
    }

    private void Deliver(IChannel channel, ulong tag, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        var isInTime = _counts.Deliver(body.Length) || _request.Of is not null;
        if (_closing)
        {
            return;
        }

        try
        {
            var message = isInTime ? _request.Selected(_source, exchange, routingKey, properties, body) : null;
            var mustNotGoBack = _renewal?.Concerns(properties) == true;
            if (message is not null || mustNotGoBack)
            {
                _arrived.Add(new LotDelivery(channel, tag, message, properties) { BodyToRenew = mustNotGoBack ? body.ToArray() : null, ComesLate = !isInTime });
            }
            else if (isInTime && (_counts.PassBy() || _channels.IsScarce(_counts)))
            {
                _arrived.Wake();
            }
        }
#pragma warning disable CA1031 // whatever it is, the reading must end with it instead of waiting for a delivery that has come
        catch (Exception exception)
        {
            _arrived.End(exception);
        }
#pragma warning restore CA1031
    }

    private void End(string why) => _ = !_closing && _arrived.End(_source.Lost(why, Progress, null));

    private async Task<(uint Ready, bool OthersRead)> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _channels.LookAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception) && !cancellationToken.IsCancellationRequested)
        {
            throw _source.Lost(BrokerFailures.Why(exception), Progress, exception);
        }
    }
}
