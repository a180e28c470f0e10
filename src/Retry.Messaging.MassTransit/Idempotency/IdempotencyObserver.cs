using MassTransit;
using MassTransit.Configuration;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Idempotency;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>Puts the filters on each consumer of an endpoint, for each of its types of message.</summary>
internal sealed class IdempotencyObserver(string queue, IIdempotencyStore store, IdempotencySettings settings, TimeProvider time, ILogger logger)
    : IConsumerConfigurationObserver
{
    public void ConsumerConfigured<TConsumer>(IConsumerConfigurator<TConsumer> configurator)
        where TConsumer : class
    {
    }

    public void ConsumerMessageConfigured<TConsumer, TMessage>(IConsumerMessageConfigurator<TConsumer, TMessage> configurator)
        where TConsumer : class
        where TMessage : class
    {
        if (typeof(TMessage) is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(Batch<>))
        {
            throw new ConfigurationException($"{queue}: found {TypeCache<TConsumer>.ShortName}, which consumes batches, on an endpoint with UseIdempotency, wanted a consumer of single messages. Give the batch an endpoint of its own.");
        }

        // before the consumer is made: what is injected into it must see the context of the filter
        ((IConsumerMessageSpecification<TConsumer, TMessage>)configurator).AddPipeSpecification(
            new FilterSpecification<ConsumeContext<TMessage>>(new IdempotencyFilter<TConsumer, TMessage>(queue, store, settings, time, logger)));
        configurator.AddPipeSpecification(
            new FilterSpecification<ConsumerConsumeContext<TConsumer, TMessage>>(new IdempotentRunFilter<TConsumer, TMessage>()));
    }

    private sealed class FilterSpecification<T>(IFilter<T> filter) : IPipeSpecification<T>
        where T : class, PipeContext
    {
        public void Apply(IPipeBuilder<T> builder) => builder.AddFilter(filter);

        public IEnumerable<ValidationResult> Validate() => [];
    }
}
