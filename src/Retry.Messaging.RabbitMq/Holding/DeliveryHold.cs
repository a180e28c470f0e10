namespace Retry.Messaging.RabbitMq.Holding;

/// <summary>How long one delivery may be held, and whether it may go back to its queue after that.</summary>
/// <param name="Time">What is known of the broker's patience.</param>
/// <param name="Since">When the delivery arrived, in timestamps of the clock: the broker counts from there, not from the first failed publish.</param>
/// <param name="IsLast">Whether the queue's delivery limit is near: given back a few times more, the broker would drop the message.</param>
internal readonly record struct DeliveryHold(HoldTime Time, long Since, bool IsLast = false)
{
    /// <summary>How long it may still be held; zero or less when it must go back.</summary>
    public TimeSpan Left(TimeProvider time) => Time.Limit - time.GetElapsedTime(Since);
}
