using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Cancelling;

/// <summary>Is told what happens to the stream of the cancelled.</summary>
internal interface ICancellationObserver
{
    /// <summary>Something was cancelled. What was on record when the stream was opened is not told, and of all dispatchers only one tells it.</summary>
    /// <param name="cancellation">What.</param>
    /// <param name="isNew">Whether it had not been cancelled before.</param>
    void Cancelled(Cancellation cancellation, bool isNew);

    /// <summary>Dispatch has to wait, since nobody knows what has been cancelled.</summary>
    /// <param name="reason">Why.</param>
    void Waits(string reason);

    /// <summary>The stream can no longer be read.</summary>
    /// <param name="reason">Why.</param>
    void Failed(string reason);
}
