using MassTransit;
using MassTransit.Configuration;
using Retry.Messaging.Configuration;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Refuses a retry point that MassTransit's own redelivery is configured on as well, its time-out, or beside idempotent consumers its outbox.</summary>
/// <remarks>
/// Of two redeliveries each would repeat what the other repeats. UseTimeout puts a context of its own around ours, and MassTransit
/// publishes a Fault by that one after each attempt.
/// These methods add their filters when MassTransit tells them of a message type: of a
/// consumer's while the bus is validated, of a handler's or saga's when its endpoint is built. This observer is connected last,
/// so it is told after them. Validation is too early for the latter; those end the start-up with an exception. What is configured on
/// a handler itself, MassTransit keeps private.
/// </remarks>
internal sealed class RedeliveryGuard : ConfigurationObserver, IMessageConfigurationObserver
{
    private readonly IReceiveEndpointConfigurator _endpoint;
    private readonly string _queue;
    private readonly bool _isIdempotent;
    private readonly List<(string Type, Func<IProbeSite> Pipe)> _messages = [];
    private bool _validated;

    /// <summary>The job consumer on this endpoint, when there is one. Known once the bus has been validated.</summary>
    public Type? JobConsumer { get; private set; }

    public RedeliveryGuard(IReceiveEndpointConfigurator endpoint, string queue, bool isIdempotent = false)
        : base(endpoint)
    {
        _endpoint = endpoint;
        _queue = queue;
        _isIdempotent = isIdempotent;
        endpoint.ConnectConsumerConfigurationObserver(new ConsumerLook(this));
        endpoint.ConnectSagaConfigurationObserver(new SagaLook(this));
        Connect(this);
    }

    /// <summary>What validation can say; what is configured later is refused at once. The endpoint of a job consumer is left alone.</summary>
    public IEnumerable<RetryFinding> Findings()
    {
        _validated = true;
        return JobConsumer is not null ? [] : _messages.SelectMany(message => Refusals(message.Type, message.Pipe)).Distinct().Select(Finding);
    }

    public void MessageConfigured<TMessage>(IConsumePipeConfigurator configurator)
        where TMessage : class
    {
        if (_endpoint is IEndpointConfiguration endpoint)
        {
            Look<TMessage>(() => endpoint.Consume.Specification.GetMessageSpecification<TMessage>().BuildMessagePipe(Pipe.Empty<ConsumeContext<TMessage>>()));
        }
    }

    public override void BatchConsumerConfigured<TConsumer, TMessage>(IConsumerMessageConfigurator<TConsumer, Batch<TMessage>> configurator) =>
        MessageConfigured<TMessage>(_endpoint);

    private IEnumerable<string> Refusals(string messageType, Func<IProbeSite> pipe)
    {
        var look = new PipeLook();
        try
        {
            pipe().Probe(look);
        }
#pragma warning disable CA1031 // a part that cannot be built says so itself when the endpoint is validated or built
        catch (Exception)
        {
            return [];
        }
#pragma warning restore CA1031

        return look.Found.Where(found => _isIdempotent || found != Filter.Outbox).Select(found => found switch
        {
            Filter.Outbox =>
                $"found an outbox for {messageType} beside UseIdempotency, wanted one of the two: what an idempotent consumer sends goes out when it is done, and an outbox outside would hold it back after that. Remove the outbox.",
            Filter.Redelivery =>
                $"found UseDelayedRedelivery or UseScheduledRedelivery for {messageType} on a retry point, wanted one of the two. Remove it (UseMessageRetry for immediate retries may stay), or call DisableGradientRetry on this endpoint.",
            _ => $"found UseTimeout for {messageType} on a retry point, wanted AttemptTimeout: with UseTimeout MassTransit publishes a Fault after each attempt. Remove it and type UseGradientRetry(context, retry => retry.AttemptTimeout(time)), or call DisableGradientRetry on this endpoint.",
        });
    }

    private void Look<TMessage>(Func<IProbeSite> pipe)
    {
        if (!_validated)
        {
            _messages.Add((TypeCache<TMessage>.ShortName, pipe));
        }
        else if (JobConsumer is null && Refusals(TypeCache<TMessage>.ShortName, pipe).FirstOrDefault() is { } refusal)
        {
            throw new ConfigurationException(Finding(refusal).ToString());
        }
    }

    private RetryFinding Finding(string refusal) => new(_queue, refusal);

    private enum Filter
    {
        Redelivery,
        Timeout,
        Outbox,
    }

    /// <summary>Looks at what was configured on a consumer itself.</summary>
    private sealed class ConsumerLook(RedeliveryGuard guard) : IConsumerConfigurationObserver
    {
        public void ConsumerConfigured<TConsumer>(IConsumerConfigurator<TConsumer> configurator)
            where TConsumer : class
        {
            if (typeof(TConsumer).GetInterfaces().Any(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IJobConsumer<>)))
            {
                guard.JobConsumer = typeof(TConsumer);
            }
        }

        public void ConsumerMessageConfigured<TConsumer, TMessage>(IConsumerMessageConfigurator<TConsumer, TMessage> configurator)
            where TConsumer : class
            where TMessage : class
        {
            if (configurator is IConsumerMessageSpecification<TConsumer, TMessage> specification)
            {
                guard.Look<TMessage>(() => specification.BuildMessagePipe(static _ => { }));
            }
        }
    }

    /// <summary>Looks at what was configured on a saga itself: connected when that has been done, so told after it.</summary>
    private sealed class SagaLook(RedeliveryGuard guard, bool isLast = false) : ISagaConfigurationObserver
    {
        public void SagaConfigured<TSaga>(ISagaConfigurator<TSaga> configurator)
            where TSaga : class, ISaga
        {
            if (!isLast)
            {
                configurator.ConnectSagaConfigurationObserver(new SagaLook(guard, isLast: true));
            }
        }

        public void StateMachineSagaConfigured<TInstance>(ISagaConfigurator<TInstance> configurator, SagaStateMachine<TInstance> stateMachine)
            where TInstance : class, ISaga, SagaStateMachineInstance
        {
        }

        public void SagaMessageConfigured<TSaga, TMessage>(ISagaMessageConfigurator<TSaga, TMessage> configurator)
            where TSaga : class, ISaga
            where TMessage : class
        {
            if (isLast && configurator is ISagaMessageSpecification<TSaga, TMessage> specification)
            {
                guard.Look<TMessage>(() => specification.BuildMessagePipe(static _ => { }));
            }
        }
    }

    /// <summary>Reads a pipe's description of itself: MassTransit's redelivery calls itself a retry of the type redelivery.</summary>
    private sealed class PipeLook : ProbeContext
    {
        private readonly PipeLook _root;
        private string? _filter;

        public PipeLook(PipeLook? root = null) => _root = root ?? this;

        public SortedSet<Filter> Found { get; } = [];

        public CancellationToken CancellationToken => CancellationToken.None;

        public void Add(string key, string value)
        {
            if (key == "filterType")
            {
                _filter = value;
                if (value == "outbox")
                {
                    _root.Found.Add(Filter.Outbox);
                }
            }
            else if (_filter == "retry" && key == "type" && value == "redelivery")
            {
                _root.Found.Add(Filter.Redelivery);
            }
        }

        public void Add(string key, object value)
        {
            // a user's own filter may have that name, too
            if (_filter == "timeout" && key == "timeout" && value is TimeSpan)
            {
                _root.Found.Add(Filter.Timeout);
            }
        }

        public void Set(object values)
        {
        }

        public void Set(IEnumerable<KeyValuePair<string, object>> values)
        {
        }

        public ProbeContext CreateScope(string key) => new PipeLook(_root);
    }
}
