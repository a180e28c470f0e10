using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Cancelling;

/// <summary>The stream of the cancelled, as a dispatcher reads it.</summary>
/// <remarks>
/// <list type="number">
/// <item>Who cancels appends one record, with the broker's confirm. Nobody has to listen.</item>
/// <item>Opening reads all there is, and proves it by a marker (<see cref="ProofOfReading"/>).</item>
/// <item>Before a message is dispatched there is a proof that all has been read that was cancelled half a second before.</item>
/// <item>The dispatcher that is at work writes again what retention could reach soon, and what is dead not.</item>
/// </list>
/// </remarks>
internal sealed class CancellationLog : IAsyncDisposable
{
    /// <summary>What the stream keeps.</summary>
    public static readonly StreamRetention Retention = new(TopologyPlan.CancelledBytes, TopologyPlan.CancelledSegmentBytes);

    /// <summary>How many bytes may be written after a cancellation before it is written again.</summary>
    public const long RepeatAfter = TopologyPlan.CancelledBytes / 2;

    /// <summary>How many are written again at most, a million: together they take a quarter of the stream.</summary>
    public const int MostLiving = (int)(TopologyPlan.CancelledBytes / 4 / CancellationRecords.RepeatBytes);

    private readonly IRecordStream _stream;
    private readonly ICancellationObserver _observer;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly CancelledMessages _cancelled = new();
    private readonly ProofOfReading _proof;
    private readonly string _own = Guid.NewGuid().ToString("N");
    private volatile bool _isLive;
    private volatile bool _isTeller;
    private int _repeating;

    private CancellationLog(IRecordStream stream, bool isDispatcher, ICancellationObserver observer, TimeProvider time)
    {
        _stream = stream;
        _observer = observer;
        _time = time;
        _proof = new ProofOfReading(WriteAsync, observer.Waits, time);

        Task WriteAsync(string id, CancellationToken cancellation) =>
            stream.AppendAsync(CancellationRecords.Marker(id, isDispatcher ? _own : null), default, cancellation);
    }

    /// <summary>Gets how many cancellations are remembered.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _cancelled.Count;
            }
        }
    }

    /// <summary>Opens the stream, and reads all that has been cancelled by now.</summary>
    /// <param name="stream">The stream; the log owns it from now on.</param>
    /// <param name="isDispatcher">Whether a dispatcher opens it: where there is no stream, it declares it.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ControlException">It cannot be read. That is never the same as "nothing is cancelled".</exception>
    public static async Task<CancellationLog> OpenAsync(
        IRecordStream stream,
        bool isDispatcher,
        ICancellationObserver observer,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var log = new CancellationLog(stream, isDispatcher, observer, time);
        try
        {
            if (!await stream.FollowAsync(log.Read, observer.Failed, cancellationToken).ConfigureAwait(false))
            {
                if (!isDispatcher)
                {
                    throw new ControlException($"Found no stream '{stream.Name}', wanted the one of the virtual host in which messages are scheduled. Check the virtual host in --broker; services with AddGradientScheduler declare it, and so does 'retryctl topology apply'.");
                }

                await stream.DeclareAsync(cancellationToken).ConfigureAwait(false);
                await stream.FollowAsync(log.Read, observer.Failed, cancellationToken).ConfigureAwait(false);
            }

            await log._proof.ProveAsync(cancellationToken).ConfigureAwait(false);
            log._isLive = true;
            return log;
        }
        catch
        {
            await log.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Returns when all has been read that was cancelled half a second before this call, or earlier.</summary>
    /// <exception cref="ControlException">The stream is not read any more.</exception>
    public async ValueTask ProveAsync(CancellationToken cancellationToken)
    {
        await _proof.ProveAsync(cancellationToken).ConfigureAwait(false);
        await RepeatAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether a schedule has been cancelled, as far as the stream has been read.</summary>
    /// <param name="token">Its token.</param>
    /// <param name="askedAt">When it was made, where the token is a caller's own.</param>
    public bool Has(Guid token, DateTimeOffset? askedAt)
    {
        lock (_lock)
        {
            return _cancelled.Has(token, askedAt);
        }
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private void Read(StreamRecord item)
    {
        _proof.Read();
        if (CancellationRecords.MarkerOf(item.Properties) is { } marker)
        {
            lock (_lock)
            {
                _cancelled.Skip(CancellationRecords.Envelope);
            }

            // of all that read, one tells: who wrote the last marker is at work
            _isTeller = CancellationRecords.WriterOf(item.Properties) is { } writer ? writer == _own : _isTeller;
            _proof.Read(marker);
        }
        else if (Cancellation.Read(item.Properties.Headers) is { } one)
        {
            bool isNew;
            lock (_lock)
            {
                isNew = _cancelled.Add(one, item.Body.Length + CancellationRecords.Envelope);
            }

            if (_isLive && _isTeller)
            {
                _observer.Cancelled(one, isNew);
            }
        }
        else
        {
            lock (_lock)
            {
                _cancelled.Skip(CancellationRecords.Envelope);
                foreach (var repeated in CancellationRecords.RepeatedBy(item.Properties, item.Body))
                {
                    _cancelled.Add(repeated, CancellationRecords.RepeatBytes);
                }
            }
        }
    }

    private async Task RepeatAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<Cancellation> due;
        lock (_lock)
        {
            due = _repeating == 0 ? _cancelled.Behind(RepeatAfter, MostLiving, _time.GetUtcNow()) : [];
            _repeating += due.Count;
        }

        foreach (var some in due.Chunk(CancellationRecords.RepeatsInOne))
        {
            var (properties, body) = CancellationRecords.Repeat(some);
            await _stream.AppendAsync(properties, body, cancellationToken).ConfigureAwait(false);
        }

        if (due.Count > 0)
        {
            _repeating = 0;
        }
    }
}
