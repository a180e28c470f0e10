using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Pulse;

namespace Retry.Messaging.Operations.Pulse;

/// <summary>Listens to the pulse for as long as it is looked at, over whichever connection there is.</summary>
internal sealed class PulseFeed(TimeProvider time) : IAsyncDisposable
{
    private IConnection? _connection;
    private PulseListener? _listener;

    /// <summary>What is heard.</summary>
    public PulseBoard Board { get; } = new(time);

    /// <summary>Why nothing is heard; <see langword="null"/> where it listens.</summary>
    public string? Trouble { get; private set; }

    /// <summary>Begins to listen where it does not yet; asked once on each connection.</summary>
    public async Task ListenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        if (ReferenceEquals(connection, _connection))
        {
            return;
        }

        _connection = connection;
        try
        {
            _listener = await PulseListener.OpenAsync(connection, Board.Hear, cancellationToken).ConfigureAwait(false);
            Trouble = null;
        }
        catch (ControlException exception)
        {
            Trouble = exception.Message;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_listener is { } listener && _connection is { IsOpen: true })
        {
            await listener.DisposeAsync().ConfigureAwait(false);
        }
    }
}
