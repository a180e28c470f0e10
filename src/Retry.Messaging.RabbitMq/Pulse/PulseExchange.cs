using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Pulse;

/// <summary>What the pulse needs on the broker. It is no part of the ladder: who says or hears something makes it.</summary>
internal static class PulseExchange
{
    // what a listener does not take in falls away, the oldest first
    private const int Room = 10_000;

    /// <summary>Declares the exchange, or finds it where the user may not.</summary>
    /// <exception cref="ControlException">It is not there, and the user may not declare it.</exception>
    public static async Task<IChannel> OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        try
        {
            await channel.ExchangeDeclareAsync(
                BrokerNames.PulseExchange,
                ExchangeType.Fanout,
                durable: true,
                cancellationToken: cancellationToken).ConfigureAwait(false);
            return channel;
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.AccessRefused)
        {
            await channel.DisposeAsync().ConfigureAwait(false);
        }

        channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        try
        {
            await channel.ExchangeDeclarePassiveAsync(BrokerNames.PulseExchange, cancellationToken).ConfigureAwait(false);
            return channel;
        }
        catch (OperationInterruptedException exception)
        {
            throw new ControlException(
                $"Exchange '{BrokerNames.PulseExchange}' does not exist, and the user may not declare it. Run 'retryctl points --watch' once as a user who may configure it.",
                exception);
        }
    }

    /// <summary>Declares a queue that only this connection reads and that ends with it.</summary>
    public static Task DeclareQueueAsync(IChannel channel, string queue, CancellationToken cancellationToken) => channel.QueueDeclareAsync(
        queue,
        durable: false,
        exclusive: true,
        autoDelete: true,
        new Dictionary<string, object?> { [Headers.XQueueType] = "classic", [Headers.XMaxLength] = Room },
        cancellationToken: cancellationToken);

    /// <summary>Declares such a queue, and binds it.</summary>
    public static async Task BindQueueAsync(IChannel channel, string queue, CancellationToken cancellationToken)
    {
        await DeclareQueueAsync(channel, queue, cancellationToken).ConfigureAwait(false);
        await channel.QueueBindAsync(queue, BrokerNames.PulseExchange, string.Empty, cancellationToken: cancellationToken).ConfigureAwait(false);
    }
}
