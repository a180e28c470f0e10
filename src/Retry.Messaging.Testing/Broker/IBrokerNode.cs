namespace Retry.Messaging.Testing;

/// <summary>A broker that an <see cref="IBrokerSource"/> has started or found, whatever it runs in.</summary>
/// <remarks>
/// It need not answer yet when it is returned, neither by its source nor after <see cref="RestartAsync"/>: <see cref="PrivateBroker"/>
/// waits until it does. Disposing ends it and leaves nothing behind.
/// </remarks>
public interface IBrokerNode : IAsyncDisposable
{
    /// <summary>Gets where it listens and how to log in; the same after a restart.</summary>
    BrokerAddress Address { get; }

    /// <summary>Gets a value indicating whether it is there for its owner only: it may be killed, stopped, restarted and controlled.</summary>
    bool IsOwnNode { get; }

    /// <summary>Gets the process id of the Erlang VM, or null when it is down or runs elsewhere.</summary>
    int? ProcessId => null;

    /// <summary>Gets the directory with configuration, data and logs, or null when this machine has none.</summary>
    string? DataDirectory => null;

    /// <summary>Ends it as a crash would, keeps its data, and returns when it is gone.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    Task KillAsync(CancellationToken cancellationToken);

    /// <summary>Ends it in good order, keeps its data, and returns when it is gone.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    Task StopAsync(CancellationToken cancellationToken);

    /// <summary>Starts it on the same ports and data; one that still runs is stopped first.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    Task RestartAsync(CancellationToken cancellationToken);

    /// <summary>Runs <c>rabbitmqctl</c> on it.</summary>
    /// <param name="arguments">Its arguments, one each.</param>
    /// <param name="cancellationToken">Ends the command.</param>
    /// <returns>What it printed.</returns>
    /// <exception cref="InvalidOperationException">The command failed.</exception>
    Task<string> ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken);

    /// <summary>Reads the end of its log, for the error that says that it did not start.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>Some lines, or nothing.</returns>
    Task<string> ReadLogAsync(CancellationToken cancellationToken) => Task.FromResult(string.Empty);
}
