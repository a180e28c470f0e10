using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.RabbitMq.Parking;

/// <summary>Finds where replayed messages go, and makes sure that they arrive there.</summary>
/// <remarks>
/// The ladder's alternate exchange swallows what has no destination and the broker confirms it, so what is missing must be
/// found before the first message is published.
/// </remarks>
internal sealed class WayBack(IConnection connection)
{
    /// <summary>The queue that a point's messages return to, bound; <see langword="null"/> where there is no work queue.</summary>
    /// <exception cref="ParkingException">It could not be looked at or bound.</exception>
    public async Task<string?> FindAsync(RetryPointNames names, CancellationToken cancellationToken)
    {
        if (!await ExistsAsync(names.Work, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        var destination = await ExistsAsync(names.Release, cancellationToken).ConfigureAwait(false) ? names.Release : names.Work;
        await BindAsync(destination, BrokerNames.ReturnExchange, BrokerNames.ReturnPattern(destination), cancellationToken).ConfigureAwait(false);
        return destination;
    }

    /// <summary>A point's parking lot, bound; <see langword="null"/> where there is none.</summary>
    /// <exception cref="ParkingException">It could not be looked at or bound.</exception>
    public async Task<string?> FindParkingLotAsync(RetryPointNames names, CancellationToken cancellationToken)
    {
        if (!await ExistsAsync(names.Parked, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        await BindAsync(names.Parked, BrokerNames.ParkingExchange, names.Work, cancellationToken).ConfigureAwait(false);
        return names.Parked;
    }

    private async Task BindAsync(string queue, string exchange, string key, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await using (channel.ConfigureAwait(false))
        {
            try
            {
                // AMQP cannot ask for a binding; making one that exists changes nothing
                await channel.QueueBindAsync(queue, exchange, key, cancellationToken: cancellationToken).ConfigureAwait(false);
            }
            catch (OperationInterruptedException exception) when (exception.ShutdownReason is { } reason)
            {
                throw new ParkingException(
                    reason.ReplyCode == Constants.NotFound
                        ? $"Found no exchange '{exchange}' to replay through; nothing was moved. Run 'retryctl topology verify', which prints the command that declares it with all its points."
                        : $"Queue '{queue}' could not be bound to '{exchange}'; nothing was moved: {reason.ReplyText}. Without that binding the messages would be lost to it; use a user that may write to the queue and read the exchange.",
                    exception);
            }
        }
    }

    private async Task<bool> ExistsAsync(string queue, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await using (channel.ConfigureAwait(false))
        {
            try
            {
                await channel.QueueDeclarePassiveAsync(queue, cancellationToken).ConfigureAwait(false);
                return true;
            }
            catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
            {
                return false;
            }
            catch (OperationInterruptedException exception) when (exception.ShutdownReason is { } reason)
            {
                throw new ParkingException($"Queue '{queue}' could not be looked at; nothing was moved: {reason.ReplyCode} {reason.ReplyText}.", exception);
            }
        }
    }
}
