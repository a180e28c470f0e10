using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Configuration;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Looks whether the work queue takes more: the cap is on what its consumers see.</summary>
/// <remarks>
/// Released into a queue that nobody consumes, messages would pile up and reach the target all at once when its consumers
/// come back. A queue that does not exist is open: what is released leaves for the lost queue.
/// </remarks>
internal sealed class WorkQueueGate(IConnection connection, string queue, int consumerPrefetch) : IAsyncDisposable
{
    /// <summary>How often a queue is looked at while messages wait for it.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>How old a look may be that messages are released on.</summary>
    public static readonly TimeSpan Stale = TimeSpan.FromSeconds(1);

    private const double SecondsAhead = 2;

    private IChannel? _channel;

    /// <summary>Looks once.</summary>
    /// <returns>Why nothing may be released, or null; and the messages that are ready in the queue.</returns>
    public async Task<(string? Closed, uint Ready)> LookAsync(RedeliveryLimit limit, CancellationToken cancellationToken)
    {
        _channel ??= await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        QueueDeclareOk found;
        try
        {
            found = await _channel.QueueDeclarePassiveAsync(queue, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            await DisposeAsync().ConfigureAwait(false);
            return (null, 0);
        }

        var most = Math.Max(SecondsAhead * limit.PerSecond, Math.Max(consumerPrefetch, 1));
        if (found.ConsumerCount == 0)
        {
            return ("the work queue has no consumer", found.MessageCount);
        }

        return found.MessageCount > most
            ? ($"{found.MessageCount} messages are ready in the work queue, more than {most:0}", found.MessageCount)
            : (null, found.MessageCount);
    }

    /// <summary>Looks for a queue, and counts what is ready in it.</summary>
    /// <exception cref="OperationInterruptedException">There is none.</exception>
    public async Task<uint> FindAsync(string name, CancellationToken cancellationToken)
    {
        _channel ??= await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        return (await _channel.QueueDeclarePassiveAsync(name, cancellationToken).ConfigureAwait(false)).MessageCount;
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
