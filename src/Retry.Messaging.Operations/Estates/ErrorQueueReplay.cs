using System.Collections.Concurrent;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.Operations.Estates;

/// <summary>Sends copies of messages in an error queue to the queues that they failed in.</summary>
/// <param name="connection">The connection.</param>
/// <param name="withoutDestination">Counts those that stay, by the queue that does not exist.</param>
internal sealed class ErrorQueueReplay(IConnection connection, ConcurrentDictionary<string, long> withoutDestination) : IAsyncDisposable
{
    private readonly ConfirmedPublisher _publisher = new(connection);
    private readonly ConcurrentDictionary<string, Lazy<Task<bool>>> _exists = new(StringComparer.Ordinal);

    /// <summary>Sends a copy, and waits for its confirm.</summary>
    /// <returns>False where there is no queue for it: it stays where it is.</returns>
    /// <exception cref="ParkingException">The broker refused it.</exception>
    public async Task<bool> SendAsync(LotDelivery delivery)
    {
        var message = delivery.Message!;
        var queue = message.WorkQueue;
        if (queue.Length == 0 || !await _exists.GetOrAdd(queue, name => new Lazy<Task<bool>>(() => ExistsAsync(name))).Value.ConfigureAwait(false))
        {
            withoutDestination.AddOrUpdate(queue, 1, static (_, count) => count + 1);
            return false;
        }

        try
        {
            // not cancellable: once sent, only the confirm tells whether the message may go
            await _publisher.PublishAsync(string.Empty, queue, PlainCopy.Of(delivery.Properties!), message.Body!.Value, CancellationToken.None).ConfigureAwait(false);
            return true;
        }
        catch (PublishRefusedException exception)
        {
            throw new ParkingException(
                $"The replay to '{queue}' stopped: {exception.Message} Messages that were not moved are still where they were. Run the replay again when the cause is gone.",
                exception);
        }
    }

    public ValueTask DisposeAsync() => _publisher.DisposeAsync();

    private async Task<bool> ExistsAsync(string queue)
    {
        var look = new PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        try
        {
            return await look.FindQueueAsync(queue, CancellationToken.None).ConfigureAwait(false) is not null;
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason is { } reason)
        {
            throw new ParkingException($"The broker refused a look at queue '{queue}', to which messages would go: {reason.ReplyCode} {reason.ReplyText}.", exception);
        }
    }
}
