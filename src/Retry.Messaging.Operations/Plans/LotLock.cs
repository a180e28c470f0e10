using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Plans;

/// <summary>Tells that somebody works on a lot: a queue that is there as long as its connection, and that no other may open.</summary>
/// <remarks>
/// It is no reservation, which stands in the journal. It tells that the connection over which copies are sent lives: while it does,
/// also that of a process that sleeps, nobody else goes on with its plan; and once it does not, nothing more can come from there.
/// </remarks>
internal sealed class LotLock : IAsyncDisposable
{
    private readonly IChannel _channel;
    private readonly string _name;

    private LotLock(IChannel channel, string name) => (_channel, _name) = (channel, name);

    /// <summary>Takes the lock of a lot.</summary>
    /// <returns>The lock, or <see langword="null"/> where another connection has it.</returns>
    /// <exception cref="ParkingException">The broker refuses it.</exception>
    public static async Task<LotLock?> TryTakeAsync(IConnection connection, string queue, CancellationToken cancellationToken)
    {
        var name = BrokerNames.LotLock(queue);
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        try
        {
            await channel.QueueDeclareAsync(name, durable: false, exclusive: true, autoDelete: true, cancellationToken: cancellationToken).ConfigureAwait(false);
            // the broker lets its own connection declare it twice, but not consume it twice
            await channel.BasicConsumeAsync(
                name,
                autoAck: true,
                string.Empty,
                noLocal: false,
                exclusive: true,
                arguments: null,
                new AsyncDefaultBasicConsumer(channel),
                cancellationToken).ConfigureAwait(false);
            return new LotLock(channel, name);
        }
        catch (OperationInterruptedException exception)
        {
            await channel.DisposeAsync().ConfigureAwait(false);
            // not found: another plan of this connection gave it up between the two calls
            return IsTaken(exception.ShutdownReason) || exception.ShutdownReason?.ReplyCode == Constants.NotFound
                ? null
                : throw new ParkingException(
                    $"Queue '{name}', which tells others that somebody works on '{queue}', could not be declared, so nothing was moved: {exception.ShutdownReason?.ReplyText ?? exception.Message}. Use a user who may configure and read queues that begin with '{BrokerNames.LadderPrefix}'.",
                    exception);
        }
        catch
        {
            await channel.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Whether somebody has the lock.</summary>
    public static async Task<bool> IsTakenAsync(PassiveLook look, string queue, CancellationToken cancellationToken)
    {
        try
        {
            return await look.FindQueueAsync(BrokerNames.LotLock(queue), cancellationToken).ConfigureAwait(false) is not null;
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

    // RESOURCE_LOCKED from another connection; ACCESS_REFUSED from another plan of this one, which consumes it
    private static bool IsTaken(ShutdownEventArgs? reason) =>
        reason is { ReplyCode: Constants.ResourceLocked }
        || (reason is { ReplyCode: Constants.AccessRefused, ReplyText: { } text } && text.Contains("exclusive use", StringComparison.Ordinal));
}
