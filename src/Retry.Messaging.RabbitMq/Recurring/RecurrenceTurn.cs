using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>The turn as a message: it lies in a queue with one active consumer, and who holds it has the turn.</summary>
/// <remarks>
/// It is never acknowledged, so it outlives whoever held it: the broker gives it to the next one. Each instance puts one there when it
/// begins, because nobody can see one that is held; the queue keeps one beside it. What is published in a turn goes over the same connection: an
/// instance that hangs loses both at once, and can send nothing when it wakes up.
/// </remarks>
internal sealed class RecurrenceTurn : IRecurrenceTurn
{
    private readonly IChannel _channel;
    private readonly WakeUp _wakeUp;
    private readonly TimeProvider _time;
    private readonly HoldTime _hold = new();
    private long _since;
    private ulong _tag;
    private volatile bool _ours;

    private RecurrenceTurn(IChannel channel, WakeUp wakeUp, TimeProvider time)
    {
        _channel = channel;
        _wakeUp = wakeUp;
        _time = time;
    }

    public bool IsOurs => _ours;

    public string? Ended { get; private set; }

    /// <summary>Stands in line.</summary>
    /// <exception cref="TopologyException">The queue cannot be declared.</exception>
    public static async Task<RecurrenceTurn> TakePartAsync(IConnection connection, WakeUp wakeUp, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            var plan = TopologyPlan.Nothing with { Queues = [TopologyPlan.RecurringTurn] };
            await TopologyDeclarer.DeclareAsync(connection, plan, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (TopologyException exception) when (exception.IsForbidden)
        {
            // the user may not declare the queue, but may use one that is there
        }

        var turn = new RecurrenceTurn(await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false), wakeUp, time);
        try
        {
            await turn.StartAsync(cancellationToken).ConfigureAwait(false);
            return turn;
        }
        catch
        {
            await turn.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    // A delivery that is held for too long costs the channel. Given back, it comes again at once, to the one active consumer.
    public async Task<TimeSpan> KeepAsync(CancellationToken cancellationToken)
    {
        if (!_ours)
        {
            return _hold.Limit;
        }

        var left = _hold.Limit - _time.GetElapsedTime(_since);
        if (left <= TimeSpan.Zero)
        {
            await _channel.BasicNackAsync(_tag, multiple: false, requeue: true, cancellationToken).ConfigureAwait(false);
            _since = _time.GetTimestamp();
            return _hold.Limit;
        }

        return left;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _channel.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception))
        {
            // gone already
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        _channel.ChannelShutdownAsync += (_, args) => EndAsync(args.ReplyText);
        await _channel.BasicQosAsync(0, 1, global: false, cancellationToken).ConfigureAwait(false);
        var consumer = new TurnConsumer(_channel, Take, () => EndAsync($"queue '{BrokerNames.RecurringQueue}' was deleted, or moves to another node"));
        await _channel.BasicConsumeAsync(
            BrokerNames.RecurringQueue,
            autoAck: false,
            string.Empty,
            noLocal: false,
            exclusive: false,
            ConsumerPatience.Asked(_hold),
            consumer,
            cancellationToken).ConfigureAwait(false);
        await _channel.BasicPublishAsync(
            string.Empty,
            BrokerNames.RecurringQueue,
            mandatory: false,
            new BasicProperties { Persistent = true },
            ReadOnlyMemory<byte>.Empty,
            cancellationToken).ConfigureAwait(false);
    }

    private void Take(ulong tag)
    {
        _tag = tag;
        _since = _time.GetTimestamp();
        _ours = true;
        _wakeUp.Set();
    }

    private Task EndAsync(string reason)
    {
        _hold.Feels(reason);
        _ours = false;
        Ended ??= reason;
        _wakeUp.Set();
        return Task.CompletedTask;
    }

    private sealed class TurnConsumer(IChannel channel, Action<ulong> take, Func<Task> cancelled) : AsyncDefaultBasicConsumer(channel)
    {
        public override Task HandleBasicDeliverAsync(
            string consumerTag,
            ulong deliveryTag,
            bool redelivered,
            string exchange,
            string routingKey,
            IReadOnlyBasicProperties properties,
            ReadOnlyMemory<byte> body,
            CancellationToken cancellationToken = default)
        {
            take(deliveryTag);
            return Task.CompletedTask;
        }

        public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default) => cancelled();
    }
}
