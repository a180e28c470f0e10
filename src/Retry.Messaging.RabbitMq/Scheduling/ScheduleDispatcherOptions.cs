using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>What a dispatcher of scheduled messages has to know.</summary>
internal sealed record ScheduleDispatcherOptions
{
    /// <summary>Opens a connection of the dispatcher's own; the action prepares the factory that it is made by.</summary>
    public required Func<Action<ConnectionFactory>, CancellationToken, Task<IConnection>> ConnectAsync { get; init; }

    /// <summary>Has the topology looked after on a new connection, before the queue is consumed.</summary>
    public Func<IConnection, CancellationToken, Task> ConnectedAsync { get; init; } = static (_, _) => Task.CompletedTask;

    /// <summary>What else runs on the connection, until it ends or is cancelled. It does not throw.</summary>
    public Func<IConnection, CancellationToken, Task> BesideAsync { get; init; } = static (_, _) => Task.CompletedTask;

    /// <summary>How long a destination may take to confirm. After it, only this message waits for it.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The exchanges that may be published to; <see langword="null"/> for all that the user of the connection may publish to.</summary>
    public IReadOnlySet<string>? Exchanges { get; init; }

    /// <summary>How long a message climbs again at least whose destination refused it, or did not confirm it.</summary>
    public TimeSpan Again { get; init; } = TimeSpan.FromSeconds(5);
}
