using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.RabbitMq.Lost;

/// <summary>The calls to look after the lost queue: every service makes them, the broker gives them to one.</summary>
/// <remarks>
/// A call is acknowledged by being sent, so nobody ever holds one: no consumer timeout applies, and a service that hangs loses the calls with
/// its connection. One that nobody takes is gone after a minute.
/// </remarks>
internal sealed class MoverCalls : IAsyncDisposable
{
    private readonly IChannel _channel;
    private readonly WakeUp _wakeUp;
    private volatile string? _ended;
    private volatile bool _called;

    private MoverCalls(IChannel channel, TimeProvider time)
    {
        _channel = channel;
        _wakeUp = new WakeUp(time);
    }

    /// <summary>Stands in line for the calls.</summary>
    public static async Task<MoverCalls> OpenAsync(IConnection connection, TimeProvider time, CancellationToken cancellationToken)
    {
        // one active consumer, and one call at most
        var plan = TopologyPlan.Nothing with { Queues = [TopologyPlan.MoverCalls] };
        try
        {
            await TopologyDeclarer.DeclareAsync(connection, plan, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (TopologyException exception) when (exception.IsForbidden)
        {
            // the user may not declare the queue, but may use one that is there
        }

        var calls = new MoverCalls(await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false), time);
        try
        {
            await calls.StartAsync(cancellationToken).ConfigureAwait(false);
            return calls;
        }
        catch
        {
            await calls.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Calls the service that looks after the lost queue at the moment.</summary>
    public ValueTask CallAsync(CancellationToken cancellationToken) =>
        _channel.BasicPublishAsync(string.Empty, BrokerNames.MoverQueue, ReadOnlyMemory<byte>.Empty, cancellationToken);

    /// <summary>Waits for a call.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ParkingException">No more calls come here.</exception>
    public async Task<bool> WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        await _wakeUp.WaitAsync(atMost, cancellationToken).ConfigureAwait(false);
        if (_ended is { } why)
        {
            throw new ParkingException(why);
        }

        var called = _called;
        _called = false;
        return called;
    }

    public ValueTask DisposeAsync() => _channel.DisposeAsync();

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        _channel.ChannelShutdownAsync += (_, args) => EndAsync($"the channel closed: {args.ReplyText}");
        var consumer = new AsyncEventingBasicConsumer(_channel);
        consumer.ReceivedAsync += (_, _) =>
        {
            _called = true;
            _wakeUp.Set();
            return Task.CompletedTask;
        };
        consumer.UnregisteredAsync += (_, _) => EndAsync($"queue '{BrokerNames.MoverQueue}' was deleted, or moves to another node");
        await _channel.BasicConsumeAsync(BrokerNames.MoverQueue, autoAck: true, consumer, cancellationToken).ConfigureAwait(false);
    }

    private Task EndAsync(string why)
    {
        _ended ??= why;
        _wakeUp.Set();
        return Task.CompletedTask;
    }
}
