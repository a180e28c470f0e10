using System.Collections.Concurrent;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Pulse;

/// <summary>Hears the pulses of all processes for those in this one who judge targets, or count successes: each is read once, however many there are.</summary>
internal sealed class PulseShare(TimeProvider time) : IControlPart
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<Action<PulseDocument>, bool> _listeners = new();

    /// <summary>Gets a value indicating whether somebody wants to hear.</summary>
    public bool IsWanted => !_listeners.IsEmpty;

    /// <inheritdoc/>
    public string Name => "the pulse of others";

    /// <summary>Begins to hand on what is heard, within half a second.</summary>
    /// <param name="heard">Told each pulse.</param>
    /// <returns>Ends it.</returns>
    public IDisposable Listen(Action<PulseDocument> heard)
    {
        _listeners[heard] = true;
        return new Listening(() => _listeners.TryRemove(heard, out _));
    }

    /// <inheritdoc/>
    public async Task RunAsync(IConnection connection, CancellationToken cancellationToken)
    {
        PulseListener? listener = null;
        try
        {
            while (true)
            {
                if (listener is null && IsWanted)
                {
                    listener = await PulseListener.OpenAsync(connection, Hear, cancellationToken).ConfigureAwait(false);
                }
                else if (listener is not null && !IsWanted)
                {
                    await listener.DisposeAsync().ConfigureAwait(false);
                    listener = null;
                }

                await Task.Delay(Look, time, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            if (listener is not null && connection.IsOpen)
            {
                await listener.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public Task EndAsync(IConnection connection, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Hands on what was heard.</summary>
    /// <param name="node">Who said it.</param>
    /// <param name="pulse">What it said.</param>
    internal void Hear(string node, byte[] pulse)
    {
        if (PulseDocument.Read(pulse) is { } read)
        {
            foreach (var listener in _listeners.Keys)
            {
                listener(read);
            }
        }
    }

    private sealed class Listening(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
