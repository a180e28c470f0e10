using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>Takes permits for the deliveries of a point that wait, and tells whoever gave them what becomes of them.</summary>
/// <remarks>It consumes only while a delivery waits, one permit at a time: in the hands of one who needs none a permit would be lost.</remarks>
internal sealed class PermitTaker(PointCircuit circuit, TimeProvider time)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan JudgeLook = TimeSpan.FromSeconds(5);

    /// <summary>Runs on a connection until it is cancelled.</summary>
    /// <exception cref="ControlException">The user may not use the queue of permits.</exception>
    public async Task RunAsync(IConnection connection, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await TakeAsync(connection, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.AccessRefused)
            {
                throw new ControlException(
                    $"Permits of '{circuit.Queue}' cannot be taken: {exception.ShutdownReason.ReplyText}. Allow the user to configure, write and read {BrokerNames.PermitPrefix}*.",
                    exception);
            }
        }
    }

    private async Task TakeAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await using var ends = channel.ConfigureAwait(false);
        await channel.BasicQosAsync(0, 1, global: false, cancellationToken).ConfigureAwait(false);
        var look = new PassiveLook(connection);
        await using var lookEnds = look.ConfigureAwait(false);
        while (channel.IsOpen)
        {
            await circuit.Needed.WaitAsync(cancellationToken).ConfigureAwait(false);

            // it may have deleted itself while nobody waited
            var queue = await PermitQueue.DeclareAsync(channel, circuit.Queue, cancellationToken).ConfigureAwait(false);
            var idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var consumer = new AsyncEventingBasicConsumer(channel);
            consumer.ReceivedAsync += (_, args) => ReceiveAsync(connection, channel, args, idle);

            // somebody has deleted the queue: it is made anew
            consumer.UnregisteredAsync += (_, _) =>
            {
                idle.TrySetResult();
                return Task.CompletedTask;
            };
            var tag = await channel.BasicConsumeAsync(queue, autoAck: false, consumer, cancellationToken).ConfigureAwait(false);
            await WatchAsync(channel, look, idle.Task, cancellationToken).ConfigureAwait(false);
            if (!channel.IsOpen)
            {
                return;
            }

            await channel.BasicCancelAsync(tag, noWait: false, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ReceiveAsync(IConnection connection, IChannel channel, BasicDeliverEventArgs args, TaskCompletionSource idle)
    {
        if (Permit.Read(args.BasicProperties) is not { } permit
            || circuit.TryGive(permit with { Tell = (given, use) => SendAsync(connection, channel, given, use) }))
        {
            await channel.BasicAckAsync(args.DeliveryTag, multiple: false, CancellationToken.None).ConfigureAwait(false);
            return;
        }

        // nothing waits here any more: it is for another
        idle.TrySetResult();
        await channel.BasicNackAsync(args.DeliveryTag, multiple: false, requeue: true, CancellationToken.None).ConfigureAwait(false);
    }

    // while something waits, or may wait again in a moment
    private async Task WatchAsync(IChannel channel, PassiveLook look, Task idle, CancellationToken cancellationToken)
    {
        var (lookedAt, judgedAt) = (time.GetTimestamp(), time.GetTimestamp());
        while (channel.IsOpen && circuit.Waiting > 0 && !idle.IsCompleted)
        {
            await Task.WhenAny(idle, Task.Delay(Look, time, cancellationToken)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            circuit.Free();
            if (time.GetElapsedTime(lookedAt) >= JudgeLook)
            {
                lookedAt = time.GetTimestamp();
                judgedAt = await CircuitJudge.IsThereAsync(look, circuit.Queue, cancellationToken).ConfigureAwait(false) ? lookedAt : judgedAt;
                circuit.Judged(time.GetElapsedTime(judgedAt, lookedAt));
            }
        }
    }

    private static async Task SendAsync(IConnection connection, IChannel channel, Permit permit, PermitUse use)
    {
        try
        {
            if (channel.IsOpen)
            {
                await channel.BasicPublishAsync(string.Empty, permit.Judge, mandatory: false, permit.Write(use), ReadOnlyMemory<byte>.Empty).ConfigureAwait(false);
                return;
            }

            // the delivery that waited last has let the channel end
            var another = await connection.CreateChannelAsync().ConfigureAwait(false);
            await using var ends = another.ConfigureAwait(false);
            await another.BasicPublishAsync(string.Empty, permit.Judge, mandatory: false, permit.Write(use), ReadOnlyMemory<byte>.Empty).ConfigureAwait(false);
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception))
        {
            // whoever gave it takes the silence for an error, and gives another
        }
    }
}
