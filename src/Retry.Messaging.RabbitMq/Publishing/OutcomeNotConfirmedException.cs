namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>The outcome of an attempt could not be made safe. The delivery goes back to its queue and is repeated.</summary>
public sealed class OutcomeNotConfirmedException : Exception
{
    internal OutcomeNotConfirmedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
