using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Cancelling;

/// <summary>Proves that a stream is read up to now: a marker is written to it, and comes back to the reader behind all that stood before it.</summary>
/// <remarks>
/// A channel that is open proves nothing: a connection may be half dead for twenty seconds before anybody notices. A marker is written only
/// when somebody asks, one at a time, and serves all who ask within <see cref="Age"/>.
/// </remarks>
/// <param name="write">Writes a marker; returns when the broker has it.</param>
/// <param name="waits">Told why a proof takes so long.</param>
/// <param name="time">The clock.</param>
internal sealed class ProofOfReading(Func<string, CancellationToken, Task> write, Action<string> waits, TimeProvider time)
{
    /// <summary>How old a proof may be.</summary>
    public static readonly TimeSpan Age = TimeSpan.FromMilliseconds(500);

    /// <summary>How long nothing may be read while a marker is on its way before the reader counts as dead.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // old enough for the next one, so that nobody has to wait for it
    private static readonly TimeSpan Renewal = Age / 2;
    private static readonly TimeSpan Notable = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Marker? _onItsWay;
    private long? _proven;
    private long _lastRead;

    /// <summary>Returns when the stream has been read up to a moment that is no further back than <see cref="Age"/> before this call.</summary>
    /// <exception cref="ControlException">The reader is dead.</exception>
    public ValueTask ProveAsync(CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        lock (_lock)
        {
            if (_proven is { } proven && time.GetElapsedTime(proven, asked) is var age && age < Age)
            {
                if (age >= Renewal && _onItsWay is null)
                {
                    Send(cancellationToken);
                }

                return ValueTask.CompletedTask;
            }
        }

        return new(WaitAsync(asked, cancellationToken));
    }

    /// <summary>A record has been read.</summary>
    public void Read() => Volatile.Write(ref _lastRead, time.GetTimestamp());

    /// <summary>A marker has been read.</summary>
    public void Read(string id)
    {
        lock (_lock)
        {
            if (_onItsWay is { } marker && marker.Id == id)
            {
                _proven = marker.Began;
                _onItsWay = null;
                marker.Back.TrySetResult();
            }
        }
    }

    private async Task WaitAsync(long asked, CancellationToken cancellationToken)
    {
        while (true)
        {
            Marker marker;
            lock (_lock)
            {
                if (_proven is { } proven && time.GetElapsedTime(proven, asked) < Age)
                {
                    return;
                }

                marker = _onItsWay ?? Send(cancellationToken);
            }

            await marker.Back.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private Marker Send(CancellationToken cancellationToken)
    {
        var marker = _onItsWay = new Marker(Guid.NewGuid().ToString("N"), time.GetTimestamp());
        _ = WriteAsync(marker, cancellationToken);
        return marker;
    }

    private async Task WriteAsync(Marker marker, CancellationToken cancellationToken)
    {
        try
        {
            await WriteUntilTakenAsync(marker, cancellationToken).ConfigureAwait(false);
            await marker.Back.Task.WaitAsync(Notable, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (!marker.Back.Task.IsCompleted)
            {
                waits("what was written to the stream of the cancelled has not come back to its reader for more than a second");
                var began = time.GetTimestamp();
                await marker.Back.Task.WaitAsync(Patience, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellationToken.ThrowIfCancellationRequested();
                if (!marker.Back.Task.IsCompleted && Volatile.Read(ref _lastRead) < began)
                {
                    throw new ControlException($"Nothing has been read of the stream of the cancelled for {Patience.TotalSeconds:0} s.");
                }
            }
        }
#pragma warning disable CA1031 // whatever it was, there is no proof, and who waits for one is told
        catch (Exception exception)
        {
            lock (_lock)
            {
                _onItsWay = null;
            }

            marker.Back.TrySetException(exception);
            // nobody may wait for it
            _ = marker.Back.Task.Exception;
        }
#pragma warning restore CA1031
    }

    // A broker that is short of memory takes nothing for a while. What is held meanwhile has not been dispatched, and is not given back.
    private async Task WriteUntilTakenAsync(Marker marker, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await write(marker.Id, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (ControlException refused)
            {
                waits(refused.Message);
                await Task.Delay(BetweenTries, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private sealed record Marker(string Id, long Began)
    {
        public TaskCompletionSource Back { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
