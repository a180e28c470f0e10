namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>A limiter cannot go on, or a setting cannot be made or read. The message says what was found and what to do.</summary>
public sealed class LimiterException : Exception
{
    internal LimiterException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
