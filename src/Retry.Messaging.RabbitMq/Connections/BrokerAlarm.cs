using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Retry.Messaging.RabbitMq.Connections;

/// <summary>Knows whether the broker takes what a connection publishes. In an alarm it reads none that publishes, until the alarm is over.</summary>
/// <remarks>What is published meanwhile stays in the socket, and arrives all at once: who sends by the clock must wait.</remarks>
internal sealed class BrokerAlarm : IDisposable
{
    private readonly IConnection _connection;
    private readonly Action _ended;
    private volatile string? _reason;

    /// <param name="connection">The connection.</param>
    /// <param name="ended">Called when it takes publishes again.</param>
    public BrokerAlarm(IConnection connection, Action? ended = null)
    {
        (_connection, _ended) = (connection, ended ?? (static () => { }));
        connection.ConnectionBlockedAsync += OnBlockedAsync;
        connection.ConnectionUnblockedAsync += OnUnblockedAsync;
    }

    /// <summary>Gets why it takes none, for example <c>low on memory</c>; <see langword="null"/> while it does.</summary>
    public string? Reason => _reason;

    public void Dispose()
    {
        _connection.ConnectionBlockedAsync -= OnBlockedAsync;
        _connection.ConnectionUnblockedAsync -= OnUnblockedAsync;
    }

    private Task OnBlockedAsync(object sender, ConnectionBlockedEventArgs args)
    {
        _reason = args.Reason;
        return Task.CompletedTask;
    }

    private Task OnUnblockedAsync(object sender, AsyncEventArgs args)
    {
        _reason = null;
        _ended();
        return Task.CompletedTask;
    }
}
