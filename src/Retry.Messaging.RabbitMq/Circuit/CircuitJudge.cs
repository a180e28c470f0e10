using System.Threading.Channels;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Breaker;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Pulse;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>Judges the target of a point for the whole cluster, and gives the permits while its circuit is not closed.</summary>
/// <remarks>
/// <list type="number">
/// <item>There is one: its queue is exclusive, and goes with its connection. The others ask for it every few seconds.</item>
/// <item>It hears the pulses of all nodes (<see cref="PulseShare"/>), and by its queue what becomes of the permits that it gave.</item>
/// <item>The rule (<see cref="BreakerRule"/>) is asked with each pulse, the course (<see cref="CircuitCourse"/>) ten times a second while the
/// circuit is not closed. Each change is written to the control log, so that a successor goes on where it was.</item>
/// </list>
/// </remarks>
internal sealed class CircuitJudge(PointCircuit circuit, ControlFollower follower, PulseShare pulses, string by, TimeProvider time, Random random)
{
    private const int Room = 10_000;
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ClosedTick = TimeSpan.FromSeconds(1);

    /// <summary>For how long a permit that is no probe's may be taken.</summary>
    public static readonly TimeSpan Worth = TimeSpan.FromSeconds(1);

    /// <summary>Judges whenever nobody else does, on a connection, until it is cancelled.</summary>
    /// <exception cref="ControlException">The broker refuses what it needs.</exception>
    public async Task RunAsync(IConnection connection, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (circuit.IsWanted && await TryOpenAsync(connection, cancellationToken).ConfigureAwait(false) is { } channel)
            {
                await using var ends = channel.ConfigureAwait(false);
                await JudgeAsync(connection, channel, cancellationToken).ConfigureAwait(false);
            }

            await Task.Delay(random.Around(BetweenTries), time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Tells whether somebody judges the target of a point. The queue is exclusive: that it may not be looked at tells that it is there.</summary>
    public static async Task<bool> IsThereAsync(PassiveLook look, string point, CancellationToken cancellationToken)
    {
        try
        {
            return await look.FindQueueAsync(BrokerNames.JudgeQueue(point), cancellationToken).ConfigureAwait(false) is not null;
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.ResourceLocked)
        {
            return true;
        }
    }

    private async Task<IChannel?> TryOpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        try
        {
            await PulseExchange.DeclareQueueAsync(channel, BrokerNames.JudgeQueue(circuit.Queue), cancellationToken).ConfigureAwait(false);
            return channel;
        }
        catch (OperationInterruptedException exception)
        {
            await channel.DisposeAsync().ConfigureAwait(false);
            return exception.ShutdownReason?.ReplyCode == Constants.ResourceLocked
                ? null
                : throw new ControlException(
                    $"The target of '{circuit.Queue}' cannot be judged: {exception.ShutdownReason?.ReplyText ?? exception.Message}. Allow the user to configure, write and read {BrokerNames.ListenPrefix}* and {BrokerNames.PermitPrefix}*, and to read {BrokerNames.PulseExchange}.",
                    exception);
        }
    }

    private async Task JudgeAsync(IConnection connection, IChannel channel, CancellationToken cancellationToken)
    {
        var queue = BrokerNames.JudgeQueue(circuit.Queue);
        var permits = await PermitQueue.DeclareAsync(channel, circuit.Queue, cancellationToken).ConfigureAwait(false);
        var inbox = Channel.CreateBounded<Heard>(new BoundedChannelOptions(Room) { FullMode = BoundedChannelFullMode.DropOldest });
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, args) =>
        {
            if (Permit.ReadUse(args.BasicProperties) is { } use)
            {
                inbox.Writer.TryWrite(new Heard(use, null));
            }

            return Task.CompletedTask;
        };

        // without its queue it is no judge any more
        consumer.UnregisteredAsync += (_, _) =>
        {
            inbox.Writer.TryComplete();
            return Task.CompletedTask;
        };

        // what another gave was counted by it
        await channel.QueuePurgeAsync(permits, cancellationToken).ConfigureAwait(false);
        await channel.BasicConsumeAsync(queue, autoAck: true, consumer, cancellationToken).ConfigureAwait(false);
        channel.ChannelShutdownAsync += (_, _) =>
        {
            inbox.Writer.TryComplete();
            return Task.CompletedTask;
        };

        using var alarm = new BrokerAlarm(connection);
        using var listening = pulses.Listen(pulse => inbox.Writer.TryWrite(new Heard(null, pulse)));
        await new CircuitSession(circuit, follower, by, time).RunAsync(inbox.Reader, () => alarm.Reason is null, GiveAsync, cancellationToken).ConfigureAwait(false);

        // the way back of a permit is the queue that only this connection reads
        async Task GiveAsync(long number, CircuitState state)
        {
            var worth = IsProbe(state) ? circuit.Interval ?? Worth : Worth;
            await channel.BasicPublishAsync(
                string.Empty,
                permits,
                mandatory: false,
                new Permit(number, queue, IsProbe(state)).Write(worth),
                ReadOnlyMemory<byte>.Empty,
                cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool IsProbe(CircuitState state) => state is CircuitState.Open or CircuitState.HalfOpen;

    /// <summary>How long the judge waits for something to hear.</summary>
    internal static TimeSpan TickOf(CircuitState state) => state == CircuitState.Closed ? ClosedTick : Tick;

    /// <summary>Something that was heard: what becomes of a permit, or a pulse.</summary>
    internal readonly record struct Heard((long Number, PermitUse Use)? Use, PulseDocument? Pulse);
}
