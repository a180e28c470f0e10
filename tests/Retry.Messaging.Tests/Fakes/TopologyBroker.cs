using System.Collections.Concurrent;
using System.Reflection;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.Tests.Fakes;

/// <summary>A connection to a broker that has every exchange and queue but those that are missing; what is declared is there again.</summary>
public class TopologyBroker : DispatchProxy
{
    private ConcurrentDictionary<string, bool> _missing = new();
    private ConcurrentQueue<string> _declared = new();
    private bool _closed;

    public IConnection Connection => (IConnection)(object)this;

    /// <summary>Gets the exchanges and queues that have been declared, in order.</summary>
    public IReadOnlyCollection<string> Declared => _declared;

    public static TopologyBroker Create() => (TopologyBroker)(object)Create<IConnection, TopologyBroker>();

    public void Delete(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            _missing[name] = true;
        }
    }

    /// <summary>Ends the connection; nobody is told.</summary>
    public void Close() => _closed = true;

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        switch (targetMethod!.Name)
        {
            case "get_IsOpen":
                return !_closed;

            case nameof(IConnection.CreateChannelAsync):
                var channel = Create<IChannel, TopologyBroker>();
                ((TopologyBroker)(object)channel)._missing = _missing;
                ((TopologyBroker)(object)channel)._declared = _declared;
                return Task.FromResult(channel);

            case nameof(IChannel.ExchangeDeclarePassiveAsync):
                return IsThere(args) ? Task.CompletedTask : Task.FromException(NotFound);

            case nameof(IChannel.QueueDeclarePassiveAsync):
                return IsThere(args) ? Task.FromResult(Found(args)) : Task.FromException<QueueDeclareOk>(NotFound);

            case nameof(IChannel.ExchangeDeclareAsync):
                Declare(args);
                return Task.CompletedTask;

            case nameof(IChannel.QueueDeclareAsync):
                Declare(args);
                return Task.FromResult(Found(args));

            case nameof(IChannel.QueueBindAsync) or nameof(IChannel.ExchangeBindAsync):
                return Task.CompletedTask;

            case nameof(IChannel.DisposeAsync):
                return ValueTask.CompletedTask;

            default:
                // events nobody raises
                return null;
        }
    }

    private static OperationInterruptedException NotFound => new(new ShutdownEventArgs(ShutdownInitiator.Peer, Constants.NotFound, "NOT_FOUND"));

    private static QueueDeclareOk Found(object?[]? args) => new((string)args![0]!, 0, 0);

    private bool IsThere(object?[]? args) => !_missing.ContainsKey((string)args![0]!);

    private void Declare(object?[]? args)
    {
        _declared.Enqueue((string)args![0]!);
        _missing.TryRemove((string)args[0]!, out _);
    }
}
