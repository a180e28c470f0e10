using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.RabbitMq.Connections;

/// <summary>Looks for queues and exchanges on a channel of its own, since looking for one that does not exist closes the channel.</summary>
/// <remarks>Each look for something that is missing is an error in the broker's log.</remarks>
internal sealed class PassiveLook(IConnection connection) : IAsyncDisposable
{
    private IChannel? _channel;

    /// <summary>Looks for a queue.</summary>
    /// <returns>What is ready in it and how many consume it, or null when there is none.</returns>
    public Task<QueueDeclareOk?> FindQueueAsync(string queue, CancellationToken cancellationToken) =>
        FindAsync<QueueDeclareOk>(async channel => await channel.QueueDeclarePassiveAsync(queue, cancellationToken).ConfigureAwait(false), cancellationToken);

    /// <summary>Looks for an exchange.</summary>
    public async Task<bool> HasExchangeAsync(string exchange, CancellationToken cancellationToken) =>
        await FindAsync<string>(
            async channel =>
            {
                await channel.ExchangeDeclarePassiveAsync(exchange, cancellationToken).ConfigureAwait(false);
                return exchange;
            },
            cancellationToken).ConfigureAwait(false) is not null;

    public async ValueTask DisposeAsync()
    {
        if (_channel is { } channel)
        {
            _channel = null;
            await channel.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<T?> FindAsync<T>(Func<IChannel, Task<T>> look, CancellationToken cancellationToken)
        where T : class
    {
        if (_channel is { IsOpen: false })
        {
            // closed for another reason than a look that found nothing
            await DisposeAsync().ConfigureAwait(false);
        }

        _channel ??= await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        try
        {
            return await look(_channel).ConfigureAwait(false);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            await DisposeAsync().ConfigureAwait(false);
            return null;
        }
    }
}
