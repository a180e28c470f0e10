using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Connections;

/// <summary>A connection that is opened when it is first wanted, and again after it was lost.</summary>
internal sealed class OwnConnection(BrokerAddress address, string clientName) : IBrokerConnection, IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private IConnection? _connection;

    /// <inheritdoc/>
    public async Task<IConnection> OpenAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_connection is not { IsOpen: true })
            {
                await CloseAsync().ConfigureAwait(false);
                _connection = await address.ConnectAsync(clientName, cancellationToken).ConfigureAwait(false);
            }

            return _connection;
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        _gate.Dispose();
    }

    private async ValueTask CloseAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }
}
