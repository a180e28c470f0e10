namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>A message could not be published, or it is not known whether it was. Publishing it again is right.</summary>
public sealed class PublishRefusedException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="innerException">What the client threw.</param>
    public PublishRefusedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>The AMQP reply code that closed the channel or returned the message, or 0.</summary>
    public int ReplyCode { get; init; }
}
