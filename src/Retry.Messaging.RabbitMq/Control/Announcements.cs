namespace Retry.Messaging.RabbitMq.Control;

/// <summary>What processes say of themselves: for people, kept for a day or so. Nothing depends on it.</summary>
/// <remarks>A stream of its own, because a setting must never be lost and an announcement need not last.</remarks>
internal sealed class Announcements(IRecordStream stream) : IAsyncDisposable
{
    /// <summary>How long an announcement is kept at least; whoever wants to be seen repeats it well before.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(1);

    /// <summary>What the stream keeps.</summary>
    public static readonly StreamRetention Retention = new(MaxBytes: 8 << 20, SegmentBytes: 1 << 20, MaxAge: "1D");

    /// <summary>Says something; the first who does declares the stream.</summary>
    /// <exception cref="ControlException">The broker did not take it.</exception>
    public async Task SayAsync(ControlRecord record, CancellationToken cancellationToken)
    {
        try
        {
            await stream.AppendAsync(ControlRecordFormat.Write(record), record.Body, cancellationToken).ConfigureAwait(false);
        }
        catch (ControlException)
        {
            await stream.DeclareAsync(cancellationToken).ConfigureAwait(false);
            await stream.AppendAsync(ControlRecordFormat.Write(record), record.Body, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads what has been said, in order. It writes nothing and declares nothing.</summary>
    /// <exception cref="ControlException">The stream is there and cannot be read.</exception>
    public async Task<IReadOnlyList<ControlRecord>> ReadAsync(CancellationToken cancellationToken)
    {
        var records = new List<ControlRecord>();
        var seen = new StreamPosition();
        var isThere = await stream.FollowAsync(Read, seen.Fail, cancellationToken).ConfigureAwait(false);
        if (isThere && await stream.FindEndAsync(cancellationToken).ConfigureAwait(false) is { } end)
        {
            await seen.ReachedAsync(end, cancellationToken).ConfigureAwait(false);
        }

        lock (records)
        {
            return [.. records];
        }

        void Read(StreamRecord item)
        {
            if (ControlRecordFormat.Read(item.Properties, item.Body) is { } record)
            {
                lock (records)
                {
                    records.Add(record);
                }
            }

            seen.At(item.Offset);
        }
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
