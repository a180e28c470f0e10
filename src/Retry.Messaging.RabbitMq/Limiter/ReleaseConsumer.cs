using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Takes deliveries of the release queue off the client's hands.</summary>
internal sealed class ReleaseConsumer(IChannel channel, Action<LimitedDelivery> arrived, Action<string> cancelled, TimeProvider time)
    : AsyncDefaultBasicConsumer(channel)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets a task that ends when no further delivery can come: the client hands over in order.</summary>
    public Task Ended => _ended.Task;

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
        arrived(new LimitedDelivery(deliveryTag, properties, body.ToArray(), time.GetTimestamp()));
        return Task.CompletedTask;
    }

    public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default)
    {
        cancelled("the broker took the consumer away; the queue was deleted, or moves to another node");
        return base.HandleBasicCancelAsync(consumerTag, cancellationToken);
    }

    protected override Task OnCancelAsync(string[] consumerTags, CancellationToken cancellationToken = default)
    {
        _ended.TrySetResult();
        return base.OnCancelAsync(consumerTags, cancellationToken);
    }
}
