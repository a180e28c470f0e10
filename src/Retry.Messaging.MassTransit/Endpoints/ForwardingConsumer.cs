using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>Stands before MassTransit's consumer, and hands on what a derived class does not handle itself.</summary>
/// <param name="consumer">MassTransit's consumer.</param>
internal abstract class ForwardingConsumer(IAsyncBasicConsumer consumer) : IAsyncBasicConsumer
{
    /// <inheritdoc/>
    public IChannel? Channel => consumer.Channel;

    /// <inheritdoc/>
    public virtual Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default) =>
        consumer.HandleBasicCancelAsync(consumerTag, cancellationToken);

    /// <inheritdoc/>
    public virtual Task HandleBasicCancelOkAsync(string consumerTag, CancellationToken cancellationToken = default) =>
        consumer.HandleBasicCancelOkAsync(consumerTag, cancellationToken);

    /// <inheritdoc/>
    public virtual Task HandleBasicConsumeOkAsync(string consumerTag, CancellationToken cancellationToken = default) =>
        consumer.HandleBasicConsumeOkAsync(consumerTag, cancellationToken);

    /// <inheritdoc/>
    public virtual Task HandleBasicDeliverAsync(
        string consumerTag,
        ulong deliveryTag,
        bool redelivered,
        string exchange,
        string routingKey,
        IReadOnlyBasicProperties properties,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken = default) =>
        consumer.HandleBasicDeliverAsync(consumerTag, deliveryTag, redelivered, exchange, routingKey, properties, body, cancellationToken);

    /// <inheritdoc/>
    public Task HandleChannelShutdownAsync(object channel, ShutdownEventArgs reason) => consumer.HandleChannelShutdownAsync(channel, reason);
}
