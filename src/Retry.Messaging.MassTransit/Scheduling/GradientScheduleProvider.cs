using MassTransit;
using MassTransit.RabbitMqTransport;
using MassTransit.Scheduling;
using Retry.Messaging.Naming;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>Schedules as MassTransit's own scheduler for delayed messages does, and cancels, which that one does not.</summary>
/// <remarks>
/// A cancel is a send like any other, so an outbox around the caller holds it until the caller's work is committed. It goes to the default
/// exchange, whose routing key is the name of the stream: the one address of MassTransit's for that is meant for replies.
/// </remarks>
internal sealed class GradientScheduleProvider(ISendEndpointProvider endpoints, TimeProvider time) : IScheduleMessageProvider
{
    private static readonly Uri DefaultExchange = new("exchange:" + RabbitMqExchangeNames.ReplyTo);

    /// <summary>A scheduler for a bus; on other transports than RabbitMQ it is MassTransit's own.</summary>
    public static IMessageScheduler Scheduler(ISendEndpointProvider endpoints, IBusTopology topology, TimeProvider time) =>
        topology is IRabbitMqBusTopology
            ? new MessageScheduler(new GradientScheduleProvider(endpoints, time), topology)
            : endpoints.CreateDelayedMessageScheduler(topology);

    public async Task<ScheduledMessage<T>> ScheduleSend<T>(
        Uri destinationAddress,
        DateTime scheduledTime,
        T message,
        IPipe<SendContext<T>> pipe,
        CancellationToken cancellationToken)
        where T : class
    {
        if (!MessageTypeCache<T>.IsValidMessageType)
        {
            throw new ArgumentException(MessageTypeCache<T>.InvalidMessageTypeReason, nameof(message));
        }

        var due = scheduledTime.Kind == DateTimeKind.Local ? new DateTimeOffset(scheduledTime) : new DateTimeOffset(scheduledTime.Ticks, TimeSpan.Zero);
        var scheduled = new AskedSendPipe<T>(pipe, scheduledTime, due) { ScheduledMessageId = ScheduleTokenIdCache<T>.GetTokenId(message, ScheduleToken.Create(due)) };
        var endpoint = await endpoints.GetSendEndpoint(destinationAddress).ConfigureAwait(false);
        await endpoint.Send(message, scheduled, cancellationToken).ConfigureAwait(false);
        return new ScheduledMessageHandle<T>(scheduled.ScheduledMessageId!.Value, scheduledTime, destinationAddress, message);
    }

    public Task CancelScheduledSend(Guid tokenId, CancellationToken cancellationToken) => CancelAsync(tokenId, cancellationToken);

    public Task CancelScheduledSend(Uri destinationAddress, Guid tokenId, CancellationToken cancellationToken) => CancelAsync(tokenId, cancellationToken);

    private async Task CancelAsync(Guid token, CancellationToken cancellationToken)
    {
        var record = new Cancellation(token, time.GetUtcNow()).Write();
        var endpoint = await endpoints.GetSendEndpoint(DefaultExchange).ConfigureAwait(false);
        await endpoint.Send<CancelScheduledMessage>(
            new CancelScheduledMessageCommand(token),
            Pipe.Execute<SendContext<CancelScheduledMessage>>(context =>
            {
                context.Headers.Set(RetryHeaderNames.Cancelled, record);
                context.SetRoutingKey(BrokerNames.CancelledStream);
            }),
            cancellationToken).ConfigureAwait(false);
    }
}
