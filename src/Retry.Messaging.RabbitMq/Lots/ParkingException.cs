namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>A parking lot cannot be worked on. The message says what was found, wanted and what to do.</summary>
public sealed class ParkingException : Exception
{
    internal ParkingException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>Whether a queue that the caller named does not exist, so that nothing was begun.</summary>
    internal bool IsUnknownQueue { get; init; }
}
