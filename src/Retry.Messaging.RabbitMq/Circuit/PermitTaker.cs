using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>Takes permits for the deliveries of a point that wait, and tells whoever gave them what becomes of them.</summary>
/// <remarks>It consumes only while a delivery waits, one permit at a time: a permit in the hands of one who needs none would be lost.</remarks>
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
            await circuit.Needed.WaitAsync(cancellationToken).ConfigureAwait(false);
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

    // until nothing waits any more
    private async Task TakeAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await using var ends = channel.ConfigureAwait(false);
        var queue = await PermitQueue.DeclareAsync(channel, circuit.Queue, cancellationToken).ConfigureAwait(false);
        await channel.BasicQosAsync(0, 1, global: false, cancellationToken).ConfigureAwait(false);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += OnReceivedAsync;
        await channel.BasicConsumeAsync(queue, autoAck: false, consumer, cancellationToken).ConfigureAwait(false);
        var look = new PassiveLook(connection);
        await using var lookEnds = look.ConfigureAwait(false);
        var (lookedAt, judgedAt) = (time.GetTimestamp(), time.GetTimestamp());
        while (channel.IsOpen && circuit.Waiting > 0 && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(Look, time, cancellationToken).ConfigureAwait(false);
            circuit.Free();
            if (time.GetElapsedTime(lookedAt) >= JudgeLook)
            {
                lookedAt = time.GetTimestamp();
                judgedAt = await CircuitJudge.IsThereAsync(look, circuit.Queue, cancellationToken).ConfigureAwait(false) ? lookedAt : judgedAt;
                circuit.Judged(time.GetElapsedTime(judgedAt, lookedAt));
            }
        }

        Task TellAsync(Permit permit, PermitUse use) => SendAsync(connection, channel, permit, use);

        async Task OnReceivedAsync(object sender, BasicDeliverEventArgs args)
        {
            if (Permit.Read(args.BasicProperties) is not { } permit)
            {
                await channel.BasicAckAsync(args.DeliveryTag, multiple: false, CancellationToken.None).ConfigureAwait(false);
            }
            else if (circuit.TryGive(permit with { Tell = TellAsync }))
            {
                await channel.BasicAckAsync(args.DeliveryTag, multiple: false, CancellationToken.None).ConfigureAwait(false);
            }

            // otherwise nothing waits: the channel is about to end, and the permit goes to another
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
