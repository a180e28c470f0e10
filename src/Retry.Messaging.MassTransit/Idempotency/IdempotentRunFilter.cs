using MassTransit;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>Begins each run of a consumer anew: an immediate retry that is configured on the consumer itself stands between the two filters,
/// and would add to what a failed run had collected and written.</summary>
internal sealed class IdempotentRunFilter<TConsumer, TMessage> : IFilter<ConsumerConsumeContext<TConsumer, TMessage>>
    where TConsumer : class
    where TMessage : class
{
    public async Task Send(ConsumerConsumeContext<TConsumer, TMessage> context, IPipe<ConsumerConsumeContext<TConsumer, TMessage>> next)
    {
        await context.GetPayload<IIdempotentRun>().StartOverAsync().ConfigureAwait(false);
        await next.Send(context).ConfigureAwait(false);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("idempotentRun");
}
