using System.Reflection;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.Tests.Fakes;

/// <summary>A connection whose broker takes every publish and answers none, and that can be told to be blocked.</summary>
public class SilentBroker : DispatchProxy
{
    private AsyncEventHandler<ConnectionBlockedEventArgs>? _blocked;
    private AsyncEventHandler<AsyncEventArgs>? _unblocked;
    private SilentBroker? _connection;
    private int _publishes;
    private bool _closed;

    public IConnection Connection => (IConnection)(object)this;

    public int Publishes => Volatile.Read(ref _publishes);

    /// <summary>What a declaration of an exchange ends with.</summary>
    public Func<Task> Declaring { get; set; } = static () => Task.CompletedTask;

    /// <summary>Whether the connection is closed by its service in the moment in which somebody opens a channel on it.</summary>
    public bool ClosesOnUse { get; set; }

    /// <summary>The connection is closed, and nobody has been told.</summary>
    public void Close() => _closed = true;

    public static SilentBroker Create() => (SilentBroker)(object)Create<IConnection, SilentBroker>();

    public Task BlockAsync(string reason) => _blocked!(this, new ConnectionBlockedEventArgs(reason));

    public Task UnblockAsync() => _unblocked!(this, AsyncEventArgs.Empty);

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        switch (targetMethod!.Name)
        {
            case "add_ConnectionBlockedAsync":
                _blocked += (AsyncEventHandler<ConnectionBlockedEventArgs>)args![0]!;
                return null;

            case "add_ConnectionUnblockedAsync":
                _unblocked += (AsyncEventHandler<AsyncEventArgs>)args![0]!;
                return null;

            case "get_IsOpen":
                return !_closed && _connection is not { _closed: true };

            case nameof(IChannel.ExchangeDeclareAsync):
                return _connection!.Declaring();

            case nameof(IChannel.DisposeAsync):
                return ValueTask.CompletedTask;

            case "get_FrameMax":
                return 131_072u;

            case nameof(IConnection.CreateChannelAsync) when ClosesOnUse:
                Close();
                return Task.FromException<IChannel>(new OperationInterruptedException(new ShutdownEventArgs(ShutdownInitiator.Application, Constants.ReplySuccess, "Connection Disposed")));

            case nameof(IConnection.CreateChannelAsync):
                var channel = Create<IChannel, SilentBroker>();
                ((SilentBroker)(object)channel)._connection = this;
                return Task.FromResult(channel);

            case nameof(IChannel.BasicPublishAsync):
                Interlocked.Increment(ref _connection!._publishes);
                return ValueTask.CompletedTask;

            default:
                // events nobody raises, and properties nobody has set
                return null;
        }
    }
}
