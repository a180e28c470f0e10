namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>What became of the deliveries of one reading. They come on several threads.</summary>
/// <param name="total">How many messages were ready at the start.</param>
/// <param name="time">The clock.</param>
internal sealed class LotCounts(long total, TimeProvider time)
{
    private const int Bulk = 500;
    private static readonly TimeSpan BulkTime = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LateTime = TimeSpan.FromSeconds(1);

    private long _bytes;
    private long _delivered;
    private long _read;
    private long _passedBy;
    private long _held;
    private long _acknowledged;
    private long _toldAt;
    private long _lateSince;

    /// <summary>How many were looked at: read, or passed by.</summary>
    public long Examined => Interlocked.Read(ref _read) + Interlocked.Read(ref _passedBy);

    /// <summary>How many of those that were ready at the start were not looked at yet.</summary>
    public long Left => Math.Max(total - Examined, 0);

    /// <summary>How many are held unacknowledged, and take up room.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <summary>How many were delivered and not acknowledged.</summary>
    public long Unsettled => Interlocked.Read(ref _delivered) - Interlocked.Read(ref _acknowledged);

    /// <summary>What a body has on average.</summary>
    public long BodyBytes => Interlocked.Read(ref _bytes) / Math.Max(1, Interlocked.Read(ref _delivered));

    /// <summary>Whether as many were looked at as were ready at the start.</summary>
    /// <remarks>Over several channels what is parked meanwhile overtakes what was there. A set tells one from the other, and is waited for a moment longer.</remarks>
    /// <param name="set">What is looked for; <see langword="null"/> for nothing in particular.</param>
    public bool IsOver(LotSet? set)
    {
        if (Examined < total || set is not { IsMet: false })
        {
            return Examined >= total;
        }

        _lateSince = _lateSince == 0 ? time.GetTimestamp() : _lateSince;
        return time.GetElapsedTime(_lateSince) >= LateTime;
    }

    /// <summary>One has come.</summary>
    /// <returns>Whether it counts: as many are looked at as were ready at the start, and what is parked meanwhile comes behind them.</returns>
    public bool Deliver(int bodyBytes)
    {
        Interlocked.Add(ref _bytes, bodyBytes);
        return Interlocked.Increment(ref _delivered) <= total;
    }

    /// <summary>One was handed to who reads.</summary>
    public void Read(LotDelivery delivery) => Interlocked.Add(ref _read, delivery.ComesLate ? 0 : 1);

    /// <summary>One stays in the lot.</summary>
    public void Hold() => Interlocked.Increment(ref _held);

    /// <summary>One was taken out.</summary>
    public void Acknowledge() => Interlocked.Increment(ref _acknowledged);

    /// <summary>One that is not selected stays in the lot, and nobody reads it.</summary>
    /// <returns>Whether who reads should hear of it: there are many by now, or it was the last. To be woken costs more than to look at a message.</returns>
    public bool PassBy()
    {
        Hold();
        var isBulk = Interlocked.Increment(ref _passedBy) % Bulk == 0 || time.GetElapsedTime(Interlocked.Read(ref _toldAt)) >= BulkTime;
        if (isBulk)
        {
            Interlocked.Exchange(ref _toldAt, time.GetTimestamp());
        }

        return isBulk || Examined >= total;
    }
}
