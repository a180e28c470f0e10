using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Pulse;

/// <summary>Hears the pulses of all processes, by a queue of its own that ends with it.</summary>
internal sealed class PulseListener : IAsyncDisposable
{
    private readonly IChannel _channel;

    private PulseListener(IChannel channel) => _channel = channel;

    /// <summary>Begins to listen.</summary>
    /// <param name="connection">The connection; it stays the caller's.</param>
    /// <param name="heard">Told who said something and the bytes of it, one at a time. Who looks less often than once a second reads the last alone.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ControlException">The user may not listen.</exception>
    public static async Task<PulseListener> OpenAsync(IConnection connection, Action<string, byte[]> heard, CancellationToken cancellationToken)
    {
        var channel = await PulseExchange.OpenAsync(connection, cancellationToken).ConfigureAwait(false);
        try
        {
            var queue = BrokerNames.ListenQueue(Guid.NewGuid().ToString("N")[..16]);
            await PulseExchange.BindQueueAsync(channel, queue, cancellationToken).ConfigureAwait(false);
            var consumer = new AsyncEventingBasicConsumer(channel);
            consumer.ReceivedAsync += OnReceivedAsync;
            await channel.BasicConsumeAsync(queue, autoAck: true, consumer, cancellationToken).ConfigureAwait(false);
            return new PulseListener(channel);
        }
        catch (OperationInterruptedException exception)
        {
            await channel.DisposeAsync().ConfigureAwait(false);
            throw new ControlException(
                $"The pulse cannot be heard: {exception.ShutdownReason?.ReplyText ?? exception.Message}. Allow the user to configure, write and read {BrokerNames.ListenPrefix}*, and to read {BrokerNames.PulseExchange}.",
                exception);
        }

        Task OnReceivedAsync(object sender, BasicDeliverEventArgs args)
        {
            if (args.BasicProperties.MessageId is { Length: > 0 } node)
            {
                heard(node, args.Body.ToArray());
            }

            return Task.CompletedTask;
        }
    }

    public ValueTask DisposeAsync() => _channel.DisposeAsync();
}
