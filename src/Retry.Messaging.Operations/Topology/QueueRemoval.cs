using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Operations.Topology;

/// <summary>Removes a release queue or a parking lot that is not needed any more, and no message with it.</summary>
/// <remarks>
/// A quorum queue refuses "delete if empty" (540, which ends the connection), and what arrives between a look and the deletion is lost.
/// So:
/// <list type="number">
/// <item>What holds messages, or is consumed, is refused.</item>
/// <item>Its binding goes. What comes from now on goes to the lost queue, and on to the work queue from there.</item>
/// <item>A while passes: what was routed before arrives, and other readers give back what they hold.</item>
/// <item>What has arrived is sent on: from a release queue to the work queue, from a parking lot to the lost queue.</item>
/// <item>Only when it is empty and not consumed then, it is deleted. Otherwise it is bound again.</item>
/// </list>
/// </remarks>
internal sealed class QueueRemoval(IConnection connection, TimeProvider time)
{
    /// <summary>How long a message that was routed may take to arrive, and a reader to give back what it held.</summary>
    internal static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(6);

    /// <summary>Why a queue may not be removed as things are, with the next step; <see langword="null"/> when it may, or is not there.</summary>
    public async Task<string?> WhyNotAsync(string queue, RetryPointNames names, CancellationToken cancellationToken) =>
        await FindAsync(queue, cancellationToken).ConfigureAwait(false) switch
    {
        null => null,
        { ConsumerCount: > 0 and var consumers } => queue == names.Release
            ? $"Queue '{queue}' has {Counted(consumers, "consumer")}, because the point is limited or isolated. Deploy its service without LimitRedelivery and Isolated, and end each 'retryctl limiter run --point {names.Work}'. Then run this command again."
            : $"Queue '{queue}' has {Counted(consumers, "consumer")}, because another operator or a service is reading it. Run this command again when that has ended.",
        { MessageCount: > 0 and var messages } => queue == names.Release
            ? $"Queue '{queue}' holds {Counted(messages, "message")}. A service that has the point without a limit empties it; so does 'retryctl limiter run --point {names.Work}'. Run this command again when the queue is empty."
            : $"Queue '{queue}' holds {Counted(messages, "parked message")}. Look at them ('retryctl parked list {names.Work}'), replay or discard them, then run this command again.",
        _ => null,
    };

    /// <summary>Whether there is a queue.</summary>
    public async Task<bool> ExistsAsync(string queue, CancellationToken cancellationToken) =>
        await FindAsync(queue, cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>Removes a queue.</summary>
    /// <returns>How many messages arrived meanwhile, and were sent on.</returns>
    /// <exception cref="ParkingException">It holds messages, is consumed, or the broker refused something; it is bound as before.</exception>
    public async Task<long> RemoveAsync(string queue, RetryPointNames names, CancellationToken cancellationToken)
    {
        await RefuseAsync().ConfigureAwait(false);
        var (exchange, key) = queue == names.Release
            ? (BrokerNames.ReturnExchange, BrokerNames.ReturnPattern(queue))
            : (BrokerNames.ParkingExchange, names.Work);
        try
        {
            await OnChannelAsync(channel => channel.QueueUnbindAsync(queue, exchange, key, cancellationToken: cancellationToken)).ConfigureAwait(false);
            await Task.Delay(SettleTime, time, cancellationToken).ConfigureAwait(false);
            var moved = await SendOnAsync(queue, names, cancellationToken).ConfigureAwait(false);
            await RefuseAsync().ConfigureAwait(false);
            await OnChannelAsync(channel => channel.QueueDeleteAsync(queue, cancellationToken: cancellationToken)).ConfigureAwait(false);
            return moved;
        }
        catch
        {
            // also when it was interrupted; without its binding what should come to it is lost
            await BindAgainAsync(queue, exchange, key, names).ConfigureAwait(false);
            throw;
        }

        async Task RefuseAsync()
        {
            if (await WhyNotAsync(queue, names, cancellationToken).ConfigureAwait(false) is { } why)
            {
                throw new ParkingException(why);
            }
        }
    }

    private async Task BindAgainAsync(string queue, string exchange, string key, RetryPointNames names)
    {
        try
        {
            await OnChannelAsync(channel => channel.QueueBindAsync(queue, exchange, key, cancellationToken: CancellationToken.None)).ConfigureAwait(false);
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception))
        {
            throw new ParkingException(
                $"Queue '{queue}' was not removed, and could not be bound to '{exchange}' again: {exception.Message.TrimEnd('.')}. Run 'retryctl topology apply {(queue == names.Release ? "--isolated" : "--point")} {names.Work}'.",
                exception);
        }
    }

    private async Task<long> SendOnAsync(string queue, RetryPointNames names, CancellationToken cancellationToken)
    {
        // a work queue that is gone, and a parking lot without its binding, leave the alternate exchange: the lost queue
        var back = DelayLadder.Route(TimeSpan.Zero, names.Work);
        var (exchange, key) = queue == names.Release ? (back.Exchange, back.RoutingKey) : (BrokerNames.ParkingExchange, names.Work);
        var source = new LotSource(
            queue,
            $"Found no queue '{queue}', because another operator or a service has removed it meanwhile. Run this command again for the rest.",
            (_, _, properties, body) => ParkedMessageReader.Read(properties, body, names));
        var publisher = new ConfirmedPublisher(connection);
        await using var publisherEnds = publisher.ConfigureAwait(false);
        var reader = await LotReader.OpenAsync(
            connection,
            source,
            new LotRequest(ParkedFilter.All) { WithBodies = true, TakesOut = true },
            time,
            cancellationToken).ConfigureAwait(false);
        await using var readerEnds = reader.ConfigureAwait(false);
        using var mover = new LotMover(reader, PublishAsync, limit: null, time, progress: null);
        var moved = 0L;
        await foreach (var _ in mover.RunAsync(cancellationToken).ConfigureAwait(false))
        {
            moved++;
        }

        return moved;

        async Task<bool> PublishAsync(LotDelivery delivery)
        {
            // what the broker itself parked has its cause in x-death, which a republication takes off
            var message = delivery.Message!;
            var properties = queue == names.Release
                ? Republication.Stripped(delivery.Properties!)
                : Republication.With(delivery.Properties!, message.State with { Id = message.Id, Reason = message.Reason }, names.Work);
            await publisher.PublishAsync(exchange, key, properties, message.Body!.Value, CancellationToken.None).ConfigureAwait(false);
            return true;
        }
    }

    private async Task<QueueDeclareOk?> FindAsync(string queue, CancellationToken cancellationToken)
    {
        var look = new PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        return await look.FindQueueAsync(queue, cancellationToken).ConfigureAwait(false);
    }

    private async Task OnChannelAsync(Func<IChannel, Task> action)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: CancellationToken.None).ConfigureAwait(false);
        await using var ends = channel.ConfigureAwait(false);
        try
        {
            await action(channel).ConfigureAwait(false);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            // the exchange, or the queue, is gone already, and the binding with it
        }
    }

    private static string Counted(uint count, string what) => $"{count} {what}{(count == 1 ? string.Empty : "s")}";
}
