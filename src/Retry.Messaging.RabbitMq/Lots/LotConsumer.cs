using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>Hands deliveries to a <see cref="LotReader"/>; it never waits, so the client's buffer stays empty.</summary>
internal sealed class LotConsumer(
    IChannel channel,
    Action<IChannel, ulong, string, string, IReadOnlyBasicProperties, ReadOnlyMemory<byte>> delivered,
    Action<string> ended) : IAsyncBasicConsumer
{
    public IChannel? Channel => channel;

    public Task HandleBasicDeliverAsync(
        string consumerTag,
        ulong deliveryTag,
        bool redelivered,
        string exchange,
        string routingKey,
        IReadOnlyBasicProperties properties,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken = default)
    {
        delivered(channel, deliveryTag, exchange, routingKey, properties, body);
        return Task.CompletedTask;
    }

    public Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default)
    {
        ended("the broker cancelled the consumer (the queue was deleted, or its node stopped)");
        return Task.CompletedTask;
    }

    public Task HandleChannelShutdownAsync(object channel, ShutdownEventArgs reason)
    {
        ended($"the channel closed: {reason.ReplyCode} {reason.ReplyText}");
        return Task.CompletedTask;
    }

    public Task HandleBasicCancelOkAsync(string consumerTag, CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task HandleBasicConsumeOkAsync(string consumerTag, CancellationToken cancellationToken = default) => Task.CompletedTask;
}
