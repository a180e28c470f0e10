namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>One publish that waits for its confirm.</summary>
internal sealed class PendingPublish(string exchange, string routingKey)
{
    public TaskCompletionSource Confirmed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public (ushort Code, string Text)? Returned { get; set; }

    public bool WentTo(string toExchange, string withRoutingKey) =>
        routingKey == withRoutingKey && exchange == toExchange;

    public void Complete()
    {
        if (Returned is { } reason)
        {
            Confirmed.TrySetException(new PublishRefusedException($"Exchange '{exchange}' returned the message for '{routingKey}': {reason.Code} {reason.Text}.") { ReplyCode = reason.Code });
        }
        else
        {
            Confirmed.TrySetResult();
        }
    }
}
