using MassTransit;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>Tells each message of a batch what its consumer threw; MassTransit tells none of them.</summary>
internal sealed class BatchExceptionFilter<TConsumer, TMessage> : IFilter<ConsumerConsumeContext<TConsumer, TMessage>>
    where TConsumer : class
    where TMessage : class
{
    public async Task Send(ConsumerConsumeContext<TConsumer, TMessage> context, IPipe<ConsumerConsumeContext<TConsumer, TMessage>> next)
    {
        try
        {
            await next.Send(context).ConfigureAwait(false);
        }
        catch (Exception exception) when (context.Message is IEnumerable<ConsumeContext> batch)
        {
            foreach (var message in batch)
            {
                if (message.TryGetPayload<AttemptContext>(out var attempt))
                {
                    attempt.Threw(TypeCache<TConsumer>.ShortName, exception);
                }
            }

            throw;
        }
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("gradientRetryBatch");
}
