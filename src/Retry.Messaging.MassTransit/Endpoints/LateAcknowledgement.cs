using MassTransit;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Logging;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>Acknowledges what ended well, or has its outcome, after the host has cancelled its deliveries.</summary>
/// <remarks>
/// Since 8.5 MassTransit refuses to acknowledge once the delivery's token is cancelled, even though the message is done, or its
/// retry is confirmed: the broker would deliver it again, beside the retry (36 messages from 20). MassTransit reports that
/// refusal here before it gives the delivery up.
/// </remarks>
internal sealed partial class LateAcknowledgement(string queue, ILogger logger) : IReceiveEndpointObserver, IReceiveObserver
{
    private ConnectHandle? _connected;

    public Task Ready(ReceiveEndpointReady ready)
    {
        // the endpoint is ready again after each lost connection, and stays the same
        _connected ??= ready.ReceiveEndpoint.ConnectReceiveObserver(this);
        return Task.CompletedTask;
    }

    public async Task ReceiveFault(ReceiveContext context, Exception exception)
    {
        if (exception is not OperationCanceledException || !context.CancellationToken.IsCancellationRequested || !HasEnded(context)
            || !context.TryGetPayload<ChannelContext>(out var channel) || !context.TryGetPayload<RabbitMqBasicConsumeContext>(out var delivery))
        {
            return;
        }

        try
        {
            await channel.BasicAck(delivery.DeliveryTag, multiple: false, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception gone) when (BrokerFailures.IsGone(gone))
        {
            LogNotAcknowledged(queue, gone.Message.TrimEnd('.'));
        }
    }

    public Task PreReceive(ReceiveContext context) => Task.CompletedTask;

    public Task PostReceive(ReceiveContext context) => Task.CompletedTask;

    public Task PostConsume<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType)
        where T : class => Task.CompletedTask;

    public Task ConsumeFault<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType, Exception exception)
        where T : class => Task.CompletedTask;

    public Task Stopping(ReceiveEndpointStopping stopping) => Task.CompletedTask;

    public Task Completed(ReceiveEndpointCompleted completed) => Task.CompletedTask;

    public Task Faulted(ReceiveEndpointFaulted faulted) => Task.CompletedTask;

    private static bool HasEnded(ReceiveContext context) =>
        !context.TryGetPayload<UnsettledDelivery>(out _) && (context.IsDelivered || context.TryGetPayload<SettledDelivery>(out _));

    [LoggerMessage(LogEvents.NotAcknowledged, LogLevel.Warning, "{Queue}: could not acknowledge a message that is done, or whose outcome is safe, because the endpoint stopped ({Reason}). The broker delivers it again")]
    private partial void LogNotAcknowledged(string queue, string reason);
}
