namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>The outcome of an attempt could not be made safe. The delivery goes back to its queue and is repeated.</summary>
/// <remarks>
/// It is a cancellation because that is what it means for the delivery, and because MassTransit moves a message whose pipe throws
/// anything else to the error queue.
/// </remarks>
public sealed class OutcomeNotConfirmedException : OperationCanceledException
{
    internal OutcomeNotConfirmedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Whether the time was over for which the delivery may be held.</summary>
    internal bool WasHeldTooLong { get; init; }

    /// <summary>Whether there was no time for another try because the endpoint stops.</summary>
    internal bool EndpointStops { get; init; }
}
