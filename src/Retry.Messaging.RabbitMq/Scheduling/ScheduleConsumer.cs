using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Takes deliveries of the schedule queue off the client's hands.</summary>
internal sealed class ScheduleConsumer(IChannel channel, Action<ScheduledDelivery> arrived, Action<string> cancelled) : AsyncDefaultBasicConsumer(channel)
{
    public override Task HandleBasicDeliverAsync(
        string consumerTag,
        ulong deliveryTag,
        bool redelivered,
        string exchange,
        string routingKey,
        IReadOnlyBasicProperties properties,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken = default)
    {
        // the client takes its buffer back when this returns
        arrived(new ScheduledDelivery(deliveryTag, redelivered, properties, body.ToArray()));
        return Task.CompletedTask;
    }

    public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default)
    {
        cancelled("the broker took the consumer away; the queue was deleted, or moves to another node");
        return base.HandleBasicCancelAsync(consumerTag, cancellationToken);
    }
}
