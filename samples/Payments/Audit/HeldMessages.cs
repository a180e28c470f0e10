using System.Text;
using System.Threading.Channels;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.Wire;

namespace Payments.Audit;

/// <summary>Reads queues by holding all their messages; they are ready again when this is disposed.</summary>
/// <remarks>All queues at the same time: read one after the other, a message on its way from rung to rung would be missed.</remarks>
internal sealed class HeldMessages : IAsyncDisposable
{
    // with the default of 0, a quorum queue stops at 2,000
    private const ushort Prefetch = ushort.MaxValue;

    private readonly Channel<HeldMessage> _arrived = System.Threading.Channels.Channel.CreateUnbounded<HeldMessage>();
    private readonly IChannel _channel;

    private HeldMessages(IChannel channel) => _channel = channel;

    public static async Task<HeldMessages> TakeAsync(QueueReader reader, IEnumerable<string> queues, CancellationToken cancellationToken)
    {
        var held = new HeldMessages(await reader.Connection.CreateChannelAsync(cancellationToken: cancellationToken));
        await held._channel.BasicQosAsync(0, Prefetch, global: false, cancellationToken);
        foreach (var queue in queues)
        {
            var consumer = new AsyncEventingBasicConsumer(held._channel);
            consumer.ReceivedAsync += async (_, delivery) => await held._arrived.Writer.WriteAsync(Read(queue, delivery), CancellationToken.None);
            await held._channel.BasicConsumeAsync(queue, autoAck: false, consumer, cancellationToken);
        }

        return held;
    }

    /// <summary>Returns the next message, or null when none came in time.</summary>
    public async Task<HeldMessage?> NextAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        try
        {
            return await _arrived.Reader.ReadAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    public ValueTask DisposeAsync() => _channel.DisposeAsync();

    private static HeldMessage Read(string queue, BasicDeliverEventArgs delivery) => new(
        queue,
        ChargeBody.Reference(delivery.Body),
        delivery.BasicProperties.Headers?.TryGetValue(RetryHeaderNames.Reason, out var reason) == true && reason is byte[] text ? Encoding.UTF8.GetString(text) : null);
}
