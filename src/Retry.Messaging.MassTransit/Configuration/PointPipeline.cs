using MassTransit;
using MassTransit.Configuration;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Configuration;
using Retry.Messaging.Decisions;
using Retry.Messaging.Idempotency;
using Retry.Messaging.MassTransit.Filters;
using Retry.Messaging.MassTransit.Idempotency;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.RabbitMq.Attempts;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Puts the filters of a retry point on its endpoint: one for what is consumed, one for what cannot be read, one for what no consumer takes.</summary>
internal sealed class PointPipeline(CrashSuspicion suspicion, Func<IIdempotencyStore?> store, TimeProvider time, ILoggerFactory logging)
{
    /// <summary>Puts them on.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="types">What it consumes.</param>
    /// <param name="point">Its retry point.</param>
    /// <param name="findings">What is doubtful about its settings, for MassTransit's validation.</param>
    /// <param name="idempotency">How its consumers recognize duplicates, where they do.</param>
    /// <param name="outcomes">Where its outcomes go.</param>
    /// <param name="leftAlone">Told why a part of the endpoint is left as MassTransit makes it.</param>
    public void AddTo(
        IReceiveEndpointConfigurator endpoint,
        ConsumedTypes types,
        RetryPoint point,
        IReadOnlyList<RetryFinding> findings,
        IdempotencySettings? idempotency,
        Lazy<IRetryTransport> outcomes,
        Action<string> leftAlone)
    {
        var logger = logging.CreateLogger<GradientRetryFilter>();
        var settler = new OutcomeSettler(
            point.Queue,
            new RetryReporter(point.Queue, time, logging.CreateLogger<RetryReporter>()),
            time,
            logging.CreateLogger<OutcomeSettler>());
        endpoint.AddPrePipeSpecification(new GradientRetrySpecification(
            () => new GradientRetryFilter(point, outcomes.Value, suspicion, types.Read, settler, time, Random.Shared, logger),
            idempotency is null ? findings : [.. findings, .. AddTo(endpoint, point, idempotency)],
            new RedeliveryGuard(endpoint, point.Queue, idempotency is not null),
            leftAlone));
        AddForUnconsumed(endpoint, point, outcomes, settler);
        endpoint.ConnectConsumerConfigurationObserver(new BatchExceptionObserver());
        endpoint.ConnectActivityConfigurationObserver(new ActivityRetryObserver(activity =>
            leftAlone($"the compensation of {TypeCache.GetShortName(activity)} is not retried: its exceptions fault the routing slip at once")));
    }

    private IEnumerable<RetryFinding> AddTo(IReceiveEndpointConfigurator endpoint, RetryPoint point, IdempotencySettings settings)
    {
        var known = store();
        if (known is not null)
        {
            endpoint.ConnectConsumerConfigurationObserver(
                new IdempotencyObserver(point.Queue, known, settings, time, logging.CreateLogger<IdempotencyObserver>()));
        }

        return IdempotencyCheck.Findings(point.Queue, settings, known, point.Rules);
    }

    // What cannot be read, and what nobody consumes, never comes to the filter on the consume pipe. As with MassTransit's
    // own queues for them, a pipe that the user configured stays as it is.
    private void AddForUnconsumed(IReceiveEndpointConfigurator endpoint, RetryPoint point, Lazy<IRetryTransport> outcomes, OutcomeSettler settler)
    {
        if (endpoint is not IEndpointConfiguration { Receive: var receive })
        {
            return;
        }

        if (!receive.ErrorConfigurator.Build().IsNotEmpty())
        {
            var logger = logging.CreateLogger<UnreadableFilter>();
            receive.ErrorConfigurator.AddPipeSpecification(new LateFilterSpecification<ExceptionReceiveContext>(() =>
                new UnreadableFilter(point, outcomes.Value, settler, time, Random.Shared, logger)));
        }

        if (!receive.DeadLetterConfigurator.Build().IsNotEmpty())
        {
            receive.DeadLetterConfigurator.AddPipeSpecification(
                new LateFilterSpecification<ReceiveContext>(() => new UnhandledFilter(point, outcomes.Value, settler, time)));
        }
    }
}
