using MassTransit;
using MassTransit.RabbitMqTransport;
using Retry.Messaging.RabbitMq.Circuit;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>Has the circuit of this process open and close the intake of an endpoint, as long as its channel lives.</summary>
internal sealed class EndpointIntakeFilter(NodeCircuit circuit, Func<int> prefetch) : IFilter<ChannelContext>
{
    public async Task Send(ChannelContext context, IPipe<ChannelContext> next)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var intake = new EndpointIntake(context, prefetch);
        var running = circuit.RunAsync(intake, over.Token);
        try
        {
            await next.Send(intake).ConfigureAwait(false);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(false);
        }
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("gradientRetryIntake");
}
