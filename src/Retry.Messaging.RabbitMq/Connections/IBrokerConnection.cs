using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Connections;

/// <summary>A connection that somebody keeps: one of our own, or the bus's.</summary>
internal interface IBrokerConnection
{
    /// <summary>The open connection, which stays its keeper's.</summary>
    /// <exception cref="BrokerConnectionException">It cannot be opened.</exception>
    /// <exception cref="InvalidOperationException">There is nobody who keeps one.</exception>
    Task<IConnection> OpenAsync(CancellationToken cancellationToken);
}
