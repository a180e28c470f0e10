using System.Diagnostics;
using System.Reflection;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.Tests.Fakes;

/// <summary>A broker in memory whose queues can be read, emptied and published to; what it does not know of AMQP does nothing.</summary>
/// <remarks>Deliveries come while the call runs that makes room for them, in the order of the queue.</remarks>
public class QueueBroker : DispatchProxy
{
    private State _state = new();
    private QueueChannel? _channel;

    public IConnection Connection => (IConnection)(object)this;

    /// <summary>Gets what was published, with exchange and key, in order.</summary>
    public IReadOnlyList<Published> Publishes => _state.Publishes;

    /// <summary>Gets how many channels were opened.</summary>
    public int Channels => _state.Channels.Count;

    /// <summary>Gets with which prefetch a queue was consumed, each time that somebody began to.</summary>
    public IReadOnlyList<ushort> Prefetches => _state.Prefetches;

    /// <summary>Gets a value indicating whether the connection was closed.</summary>
    public bool IsClosed => _state.IsClosed;

    /// <summary>Delivers so many more messages and then none, though messages are ready.</summary>
    public void StallsAfter(int deliveries) => _state.Left = deliveries;

    /// <summary>Answers nothing that is asked on the connection.</summary>
    public void FallsSilent() => _state.IsSilent = true;

    public static QueueBroker Create() => (QueueBroker)(object)Create<IConnection, QueueBroker>();

    /// <summary>Makes a queue.</summary>
    public void Declare(string queue)
    {
        lock (_state.Lock)
        {
            _state.QueueOf(queue);
        }
    }

    /// <summary>Puts a message into a queue, which is made if it is not there.</summary>
    public void Add(string queue, string id, IDictionary<string, object?>? headers = null)
    {
        lock (_state.Lock)
        {
            var properties = new BasicProperties { MessageId = id, Headers = headers ?? new Dictionary<string, object?>() };
            _state.QueueOf(queue).Enqueue(new Message(queue, properties, new byte[10]), _state.NextPlace());
            _state.Deliver();
        }
    }

    /// <summary>The message ids that are ready in a queue, in order.</summary>
    public IReadOnlyList<string> ReadyIn(string queue)
    {
        lock (_state.Lock)
        {
            return [.. _state.QueueOf(queue).UnorderedItems.OrderBy(item => item.Priority).Select(item => item.Element.Properties.MessageId!)];
        }
    }

    /// <summary>How many consume a queue.</summary>
    public uint ConsumersOf(string queue)
    {
        lock (_state.Lock)
        {
            return _state.ConsumersOf(queue);
        }
    }

    /// <summary>Ends every consumer, as the broker does when the queue is deleted.</summary>
    public async Task CancelConsumersAsync()
    {
        foreach (var consumer in _state.Channels.SelectMany(channel => channel.Consumers).ToList())
        {
            consumer.Channel.Consumers.Remove(consumer);
            await consumer.Client.HandleBasicCancelAsync(consumer.Tag);
        }
    }

    /// <summary>Answers publishes of the channel that published last.</summary>
    public Task AnswerAsync(ulong number, bool multiple = false, bool refused = false)
    {
        var channel = _state.Publisher!;
        return refused
            ? channel.Nacks!(this, new BasicNackEventArgs(number, multiple, requeue: false))
            : channel.Acks!(this, new BasicAckEventArgs(number, multiple));
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        lock (_state.Lock)
        {
            return _channel is null ? OfConnection(targetMethod!.Name, args!) : OfChannel(_channel, targetMethod!.Name, args!);
        }
    }

    private object? OfConnection(string method, object?[] args)
    {
        switch (method)
        {
            case nameof(IConnection.CreateChannelAsync) when _state.IsSilent:
                return Unanswered((CancellationToken)args[1]!);

            case nameof(IConnection.CreateChannelAsync):
                var channel = Create<IChannel, QueueBroker>();
                var proxy = (QueueBroker)(object)channel;
                proxy._state = _state;
                proxy._channel = new QueueChannel();
                _state.Channels.Add(proxy._channel);
                return Task.FromResult(channel);

            case nameof(IConnection.CloseAsync):
                _state.IsClosed = true;
                return Task.CompletedTask;

            case nameof(IConnection.DisposeAsync):
                return ValueTask.CompletedTask;

            case "get_IsOpen":
                return !_state.IsClosed;

            case "get_FrameMax":
                return 131_072u;

            default:
                return null;
        }
    }

    private object? OfChannel(QueueChannel channel, string method, object?[] args)
    {
        switch (method)
        {
            case nameof(IChannel.MessageCountAsync):
                return _state.Queues.TryGetValue((string)args[0]!, out var counted) ? Task.FromResult((uint)counted.Count) : Missing<uint>();

            case nameof(IChannel.QueueDeclarePassiveAsync):
                return _state.Queues.TryGetValue((string)args[0]!, out var found)
                    ? Task.FromResult(new QueueDeclareOk((string)args[0]!, (uint)found.Count, _state.ConsumersOf((string)args[0]!)))
                    : Missing<QueueDeclareOk>();

            case nameof(IChannel.BasicQosAsync):
                channel.Prefetch = (ushort)args[1]!;
                return Task.CompletedTask;

            case nameof(IChannel.BasicConsumeAsync):
                var consumer = new Consumer(channel, $"consumer-{_state.NextPlace()}", (string)args[0]!, channel.Prefetch, (IAsyncBasicConsumer)args[6]!);
                channel.Consumers.Add(consumer);
                _state.Prefetches.Add(channel.Prefetch);
                _state.Deliver();
                return Task.FromResult(consumer.Tag);

            case nameof(IChannel.BasicCancelAsync):
                foreach (var cancelled in channel.Consumers.Where(one => one.Tag == (string)args[0]!).ToList())
                {
                    channel.Consumers.Remove(cancelled);
                    _ = cancelled.Client.HandleBasicCancelOkAsync(cancelled.Tag);
                }

                return Task.CompletedTask;

            case nameof(IChannel.BasicAckAsync):
                foreach (var tag in channel.UpTo((ulong)args[0]!, (bool)args[1]!))
                {
                    channel.TakeOut(tag);
                }

                _state.Deliver();
                return ValueTask.CompletedTask;

            case nameof(IChannel.BasicNackAsync):
                _state.GiveBack(channel, channel.UpTo((ulong)args[0]!, (bool)args[1]!));
                return ValueTask.CompletedTask;

            case nameof(IChannel.CloseAsync):
                channel.Consumers.Clear();
                _state.GiveBack(channel, [.. channel.Held.Keys]);
                return Task.CompletedTask;

            case nameof(IChannel.BasicPublishAsync):
                _state.Publisher = channel;
                _state.Publishes.Add(new Published((string)args[0]!, (string)args[1]!, (IReadOnlyBasicProperties)args[3]!));
                return ValueTask.CompletedTask;

            case "add_BasicAcksAsync":
                channel.Acks += (AsyncEventHandler<BasicAckEventArgs>)args[0]!;
                return null;

            case "add_BasicNacksAsync":
                channel.Nacks += (AsyncEventHandler<BasicNackEventArgs>)args[0]!;
                return null;

            case "get_ChannelNumber":
                return 1;

            case "get_IsOpen":
                return true;

            case nameof(IChannel.DisposeAsync):
                return ValueTask.CompletedTask;

            default:
                return null;
        }
    }

    private static async Task<IChannel> Unanswered(CancellationToken cancellationToken)
    {
        await Simulate.EndlessWorkAsync(cancellationToken);
        throw new UnreachableException();
    }

    private static Task<T> Missing<T>() =>
        Task.FromException<T>(new OperationInterruptedException(new ShutdownEventArgs(ShutdownInitiator.Peer, Constants.NotFound, "NOT_FOUND - no queue")));

    /// <summary>What was published.</summary>
    public sealed record Published(string Exchange, string RoutingKey, IReadOnlyBasicProperties Properties);

    private sealed record Message(string Queue, IReadOnlyBasicProperties Properties, byte[] Body);

    private sealed record Consumer(QueueChannel Channel, string Tag, string Queue, ushort Prefetch, IAsyncBasicConsumer Client)
    {
        /// <summary>How many it holds.</summary>
        public int Count { get; set; }
    }

    private sealed record Held(Consumer Consumer, Message Message, long Place);

    private sealed class QueueChannel
    {
        public List<Consumer> Consumers { get; } = [];

        public Dictionary<ulong, Held> Held { get; } = [];

        public ushort Prefetch { get; set; }

        public ulong LastTag { get; set; }

        public AsyncEventHandler<BasicAckEventArgs>? Acks { get; set; }

        public AsyncEventHandler<BasicNackEventArgs>? Nacks { get; set; }

        public Held? TakeOut(ulong tag)
        {
            if (Held.Remove(tag, out var held))
            {
                held.Consumer.Count--;
            }

            return held;
        }

        public ulong[] UpTo(ulong tag, bool multiple) => multiple ? [.. Held.Keys.Where(held => held <= tag)] : [tag];
    }

    private sealed class State
    {
        private long _place;

        public Lock Lock { get; } = new();

        public Dictionary<string, PriorityQueue<Message, long>> Queues { get; } = new(StringComparer.Ordinal);

        public List<QueueChannel> Channels { get; } = [];

        public List<Published> Publishes { get; } = [];

        public List<ushort> Prefetches { get; } = [];

        public QueueChannel? Publisher { get; set; }

        public bool IsClosed { get; set; }

        public bool IsSilent { get; set; }

        public int Left { get; set; } = int.MaxValue;

        public long NextPlace() => ++_place;

        public PriorityQueue<Message, long> QueueOf(string name) => Queues.TryGetValue(name, out var queue) ? queue : Queues[name] = new();

        public uint ConsumersOf(string queue) => (uint)Channels.SelectMany(channel => channel.Consumers).Count(consumer => consumer.Queue == queue);

        public void GiveBack(QueueChannel channel, IReadOnlyCollection<ulong> tags)
        {
            foreach (var tag in tags)
            {
                if (channel.TakeOut(tag) is { } held)
                {
                    QueueOf(held.Message.Queue).Enqueue(held.Message, held.Place);
                }
            }

            Deliver();
        }

        public void Deliver()
        {
            foreach (var consumer in Channels.SelectMany(channel => channel.Consumers).ToList())
            {
                var channel = consumer.Channel;
                while (Left > 0 && consumer.Count < consumer.Prefetch && QueueOf(consumer.Queue).TryDequeue(out var message, out var place))
                {
                    Left--;
                    channel.Held[++channel.LastTag] = new Held(consumer, message, place);
                    consumer.Count++;
                    _ = consumer.Client.HandleBasicDeliverAsync(consumer.Tag, channel.LastTag, redelivered: false, "exchange", message.Queue, message.Properties, message.Body);
                }
            }
        }
    }
}
