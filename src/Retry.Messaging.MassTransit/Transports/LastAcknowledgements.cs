using MassTransit;
using MassTransit.RabbitMqTransport;

namespace Retry.Messaging.MassTransit.Transports;

/// <summary>Sees to it that what an endpoint of a quorum queue acknowledges while it stops is written before its channel is closed.</summary>
internal sealed class LastAcknowledgements(string queue) : IFilter<ChannelContext>
{
    public Task Send(ChannelContext context, IPipe<ChannelContext> next) => next.Send(new StoppingChannelContext(context, queue));

    public void Probe(ProbeContext context) => context.CreateFilterScope("gradientRetryLastAcknowledgements");
}
