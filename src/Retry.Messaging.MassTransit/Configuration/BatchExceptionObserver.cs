using MassTransit;
using Retry.Messaging.MassTransit.Filters;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Puts <see cref="BatchExceptionFilter{TConsumer,TMessage}"/> on the consumers of batches.</summary>
internal sealed class BatchExceptionObserver : IConsumerConfigurationObserver
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
            configurator.AddPipeSpecification(
                new LateFilterSpecification<ConsumerConsumeContext<TConsumer, TMessage>>(static () => new BatchExceptionFilter<TConsumer, TMessage>()));
        }
    }
}
