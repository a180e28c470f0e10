using MassTransit;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Logging;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>Sees to it that what an endpoint of a quorum queue acknowledges while it stops is written before its channel is closed.</summary>
internal sealed class AcknowledgementBarrierFilter(string queue, ILogger logger) : IFilter<ChannelContext>
{
    public Task Send(ChannelContext context, IPipe<ChannelContext> next) => next.Send(new AcknowledgementBarrier(context, queue, logger));

    public void Probe(ProbeContext context) => context.CreateFilterScope("gradientRetryLastAcknowledgements");
}
