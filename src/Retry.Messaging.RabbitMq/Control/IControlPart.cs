using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Control;

/// <summary>Something that lives on the connection of control of a process.</summary>
internal interface IControlPart
{
    /// <summary>Gets what it does, for people, for example <c>the pulse</c>.</summary>
    string Name { get; }

    /// <summary>Runs on a connection until it is cancelled. Called again with the next connection, and 30 s after it has failed.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="cancellationToken">Cancelled when the connection has ended, or the process stops.</param>
    /// <exception cref="ControlException">The broker refuses what it needs.</exception>
    Task RunAsync(IConnection connection, CancellationToken cancellationToken);

    /// <summary>Says what has to be said before the process goes. The connection is open.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task EndAsync(IConnection connection, CancellationToken cancellationToken);
}
