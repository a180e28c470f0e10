using System.Runtime.CompilerServices;
using MassTransit;
using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.RabbitMq.Holding;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>Has an endpoint go on after the broker has taken its consumer away because a delivery was held for too long.</summary>
/// <remarks>
/// Before RabbitMQ 4.3 the broker closes the channel, and says what timeout it used: that is noted. Since 4.3 it cancels the consumer of a
/// quorum queue, and the channel stays. MassTransit would consume again on it, with a tag that the broker still knows, and a queue
/// with a single active consumer gives nothing to a consumer that still owes it an answer (both read in its source). So that
/// channel is closed, and the endpoint goes on with a new one.
/// </remarks>
internal sealed class EndpointTimeouts(HoldTime hold) : IFilter<ChannelContext>
{
    private static readonly object Taken = new();

    private readonly ConditionalWeakTable<IChannel, object> _taken = [];

    public async Task Send(ChannelContext context, IPipe<ChannelContext> next)
    {
        var channel = context.Channel;
        if (_taken.TryGetValue(channel, out _))
        {
            await channel.CloseAsync(context.CancellationToken).ConfigureAwait(false);
            throw new OperationCanceledException("The broker has taken the consumer of this channel away; the endpoint goes on with another channel.");
        }

        channel.ChannelShutdownAsync += OnShutdownAsync;
        try
        {
            await next.Send(new WatchedChannelContext(context, () => _taken.AddOrUpdate(channel, Taken))).ConfigureAwait(false);
        }
        finally
        {
            try
            {
                channel.ChannelShutdownAsync -= OnShutdownAsync;
            }
            catch (ObjectDisposedException)
            {
                // gone, and this with it
            }
        }
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("gradientRetryTimeouts");

    private Task OnShutdownAsync(object sender, ShutdownEventArgs args)
    {
        hold.Feels(args.ReplyText);
        return Task.CompletedTask;
    }

    private sealed class WatchedChannelContext(ChannelContext context, Action taken) : ScopeChannelContext(context, context.CancellationToken), ChannelContext
    {
        private readonly ChannelContext _context = context;

        Task<string> ChannelContext.BasicConsume(
            string queue,
            bool noAck,
            bool exclusive,
            IDictionary<string, object> arguments,
            IAsyncBasicConsumer consumer,
            string consumerTag,
            CancellationToken cancellationToken) =>
            _context.BasicConsume(queue, noAck, exclusive, arguments, new WatchedConsumer(consumer, taken), consumerTag, cancellationToken);
    }

    private sealed class WatchedConsumer(IAsyncBasicConsumer consumer, Action taken) : ForwardingConsumer(consumer)
    {
        public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default)
        {
            taken();
            return base.HandleBasicCancelAsync(consumerTag, cancellationToken);
        }
    }
}
