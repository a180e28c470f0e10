namespace Retry.Messaging.RabbitMq.Holding;

/// <summary>How patient the broker is with the deliveries of a point: for how long one may be held, and how often it may be given back.</summary>
/// <param name="workQueue">The point's work queue.</param>
/// <param name="hold">What is known of the consumer timeout.</param>
/// <param name="deliveryLimit">The limit among the arguments by which this process declares the queue, or <see langword="null"/>.</param>
/// <param name="time">The clock.</param>
internal sealed class PointTimes(string workQueue, HoldTime hold, long? deliveryLimit, TimeProvider time)
{
    private const long NotShown = long.MinValue;

    private long _shownLimit = NotShown;

    /// <summary>The point's work queue.</summary>
    public string WorkQueue => workQueue;

    /// <summary>What is known of the consumer timeout.</summary>
    public HoldTime Hold => hold;

    /// <summary>A delivery has arrived.</summary>
    /// <param name="broker">The broker's version.</param>
    /// <param name="returns">How often it has been returned to its queue.</param>
    public DeliveryHold Begin(Version broker, int returns) =>
        new(
            hold,
            time.GetTimestamp(),
            DeliveryLimit.IsNear(DeliveryLimit.Of(broker, Interlocked.Read(ref _shownLimit) is not NotShown and var shown ? shown : deliveryLimit), returns));

    /// <summary>Notes what the management API shows.</summary>
    /// <param name="timeout">The consumer timeout, or <see langword="null"/>.</param>
    /// <param name="limit">The queue's delivery limit by argument and policy, or <see langword="null"/>.</param>
    public void Shows(TimeSpan? timeout, long? limit)
    {
        hold.Shows(timeout);
        Interlocked.Exchange(ref _shownLimit, limit ?? NotShown);
    }
}
