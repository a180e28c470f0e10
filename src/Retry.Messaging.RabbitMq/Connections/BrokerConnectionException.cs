namespace Retry.Messaging.RabbitMq.Connections;

/// <summary>No connection to the broker. The message is one line: what happened and what to do; never the password.</summary>
public sealed class BrokerConnectionException : Exception
{
    internal BrokerConnectionException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
