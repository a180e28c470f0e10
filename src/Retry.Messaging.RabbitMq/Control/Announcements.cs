namespace Retry.Messaging.RabbitMq.Control;

/// <summary>What processes say of themselves, kept for a day: for people, and for the instances, which tell by it who died. No setting depends on it.</summary>
/// <remarks>A stream of its own, because a setting must never be lost and an announcement need not last.</remarks>
internal sealed class Announcements(IRecordStream stream) : IAsyncDisposable
{
    private readonly StreamPosition _position = new();

    /// <summary>How long an announcement is kept at least. An instance that wants to be seen repeats it well before.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(1);

    /// <summary>What the stream keeps.</summary>
    /// <remarks>One announcement of a point takes about a kilobyte, so this is a day of 100 instances with 20 points that are deployed four times.</remarks>
    public static readonly StreamRetention Retention = new(MaxBytes: 16 << 20, SegmentBytes: 1 << 20, MaxAge: "1D");

    /// <summary>Gets why the others can no longer be heard, or <see langword="null"/>.</summary>
    public string? Failure => _position.Failure;

    /// <summary>Says something. The first to say anything declares the stream.</summary>
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
        if (await HearAsync(Add, cancellationToken).ConfigureAwait(false))
        {
            await CatchUpAsync(cancellationToken).ConfigureAwait(false);
        }

        lock (records)
        {
            return [.. records];
        }

        void Add(ControlRecord record)
        {
            lock (records)
            {
                records.Add(record);
            }
        }
    }

    /// <summary>Reads what has been said, in order, and then what is said. It declares the stream where there is none.</summary>
    /// <exception cref="ControlException">The stream cannot be declared, or not be read.</exception>
    public async Task FollowAsync(Action<ControlRecord> said, CancellationToken cancellationToken)
    {
        if (await HearAsync(said, cancellationToken).ConfigureAwait(false))
        {
            await CatchUpAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        // nobody has said anything yet
        await stream.DeclareAsync(cancellationToken).ConfigureAwait(false);
        await HearAsync(said, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until all that has been said by now is heard. One at a time.</summary>
    /// <exception cref="ControlException">The others can no longer be heard.</exception>
    public async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        if (await stream.FindEndAsync(cancellationToken).ConfigureAwait(false) is { } end)
        {
            await _position.ReachedAsync(end, cancellationToken).ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();

    private Task<bool> HearAsync(Action<ControlRecord> said, CancellationToken cancellationToken)
    {
        return stream.FollowAsync(Read, _position.Fail, cancellationToken);

        void Read(StreamRecord item)
        {
            if (ControlRecordFormat.Read(item.Properties, item.Body) is { } record)
            {
                said(record);
            }

            _position.At(item.Offset);
        }
    }
}
