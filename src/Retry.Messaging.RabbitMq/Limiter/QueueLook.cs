using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Looks at queues on a channel of its own, since looking for one that does not exist closes the channel.</summary>
internal sealed class QueueLook(IConnection connection) : IAsyncDisposable
{
    private IChannel? _channel;

    /// <summary>Looks for a queue.</summary>
    /// <returns>What is ready in it and how many consume it, or null when there is none.</returns>
    public async Task<QueueDeclareOk?> FindAsync(string queue, CancellationToken cancellationToken)
    {
        _channel ??= await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        try
        {
            return await _channel.QueueDeclarePassiveAsync(queue, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            await DisposeAsync().ConfigureAwait(false);
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_channel is { } channel)
        {
            _channel = null;
            await channel.DisposeAsync().ConfigureAwait(false);
        }
    }
}
