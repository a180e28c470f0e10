using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Plans;

/// <summary>What one has and no other: a queue that is there as long as its connection, and that no other may open.</summary>
internal sealed class BrokerLock : IAsyncDisposable
{
    private readonly IChannel _channel;
    private readonly string _name;
    private volatile bool _lost;

    private BrokerLock(IChannel channel, string name) => (_channel, _name) = (channel, name);

    /// <summary>Whether it is still had: neither the connection has ended nor was the queue deleted.</summary>
    public bool IsHeld => !_lost && _channel.IsOpen;

    /// <summary>Takes a lock.</summary>
    /// <param name="connection">The connection with which it goes.</param>
    /// <param name="name">The queue's name.</param>
    /// <param name="tells">What the queue tells others, for people.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The lock, or <see langword="null"/> where another has it.</returns>
    /// <exception cref="ParkingException">The broker refuses it.</exception>
    public static async Task<BrokerLock?> TryTakeAsync(IConnection connection, string name, string tells, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        try
        {
            var taken = new BrokerLock(channel, name);
            await channel.QueueDeclareAsync(name, durable: false, exclusive: true, autoDelete: true, cancellationToken: cancellationToken).ConfigureAwait(false);
            var consumer = new AsyncEventingBasicConsumer(channel);
            consumer.UnregisteredAsync += (_, _) =>
            {
                taken._lost = true;
                return Task.CompletedTask;
            };

            // the broker lets its own connection declare it twice, but not consume it twice
            await channel.BasicConsumeAsync(
                name,
                autoAck: true,
                string.Empty,
                noLocal: false,
                exclusive: true,
                arguments: null,
                consumer,
                cancellationToken).ConfigureAwait(false);
            return taken;
        }
        catch (OperationInterruptedException exception)
        {
            await channel.DisposeAsync().ConfigureAwait(false);
            // not found: another of this connection gave it up between the two calls
            return IsTaken(exception.ShutdownReason) || exception.ShutdownReason?.ReplyCode == Constants.NotFound
                ? null
                : throw new ParkingException(
                    $"Queue '{name}', which tells others {tells}, could not be declared, so nothing was moved: {exception.ShutdownReason?.ReplyText ?? exception.Message}. Use a user who may configure and read queues that begin with '{BrokerNames.LadderPrefix}'.",
                    exception);
        }
        catch
        {
            await channel.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Whether somebody has a lock.</summary>
    public static async Task<bool> IsTakenAsync(PassiveLook look, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await look.FindQueueAsync(name, cancellationToken).ConfigureAwait(false) is not null;
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.ResourceLocked)
        {
            return true;
        }
    }

    /// <summary>Gives it up.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_channel.IsOpen)
            {
                await _channel.QueueDeleteAsync(_name, cancellationToken: CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception))
        {
            // gone with its connection
        }

        await _channel.DisposeAsync().ConfigureAwait(false);
    }

    // RESOURCE_LOCKED from another connection; ACCESS_REFUSED from another user of this one, which consumes it
    private static bool IsTaken(ShutdownEventArgs? reason) =>
        reason is { ReplyCode: Constants.ResourceLocked }
        || (reason is { ReplyCode: Constants.AccessRefused, ReplyText: { } text } && text.Contains("exclusive use", StringComparison.Ordinal));
}
