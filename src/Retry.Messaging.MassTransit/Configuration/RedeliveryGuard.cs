using MassTransit;
using MassTransit.Configuration;
using Retry.Messaging.Configuration;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Refuses a retry point that MassTransit's own redelivery is configured on as well: each would repeat what the other repeats.</summary>
/// <remarks>
/// UseDelayedRedelivery and UseScheduledRedelivery add their filters when MassTransit tells them of a message type: of a
/// consumer's while the bus is validated, of a handler's or saga's when its endpoint is built. This observer is connected last,
/// so it is told after them. Validation is too early for the latter; those end the start-up with an exception.
/// </remarks>
internal sealed class RedeliveryGuard : ConfigurationObserver, IMessageConfigurationObserver
{
    private readonly IReceiveEndpointConfigurator _endpoint;
    private readonly string _queue;
    private readonly List<(string Type, Func<IProbeSite> Pipe)> _messages = [];
    private bool _validated;

    /// <summary>The job consumer on this endpoint, when there is one. Known once the bus has been validated.</summary>
    public Type? JobConsumer { get; private set; }

    public RedeliveryGuard(IReceiveEndpointConfigurator endpoint, string queue)
        : base(endpoint)
    {
        _endpoint = endpoint;
        _queue = queue;
        endpoint.ConnectConsumerConfigurationObserver(new ConsumerLook(this));
        Connect(this);
    }

    /// <summary>What validation can say; what is configured later is refused at once.</summary>
    public IEnumerable<RetryFinding> Findings()
    {
        _validated = true;
        return _messages.Where(message => HasRedelivery(message.Pipe)).Select(message => message.Type).Distinct().Select(Finding);
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

    private static bool HasRedelivery(Func<IProbeSite> pipe)
    {
        var look = new PipeLook();
        try
        {
            pipe().Probe(look);
        }
#pragma warning disable CA1031 // a part that cannot be built says so itself when the endpoint is validated or built
        catch (Exception)
        {
            return false;
        }
#pragma warning restore CA1031

        return look.FoundRedelivery;
    }

    private void Look<TMessage>(Func<IProbeSite> pipe)
    {
        if (!_validated)
        {
            _messages.Add((TypeCache<TMessage>.ShortName, pipe));
        }
        else if (HasRedelivery(pipe))
        {
            throw new ConfigurationException(Finding(TypeCache<TMessage>.ShortName).ToString());
        }
    }

    private RetryFinding Finding(string messageType) => new(
        _queue,
        $"found UseDelayedRedelivery or UseScheduledRedelivery for {messageType} on a retry point, wanted one of the two. Remove it (UseMessageRetry for immediate retries may stay), or call DisableGradientRetry on this endpoint.");

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

    /// <summary>Reads a pipe's description of itself: MassTransit's redelivery calls itself a retry of the type redelivery.</summary>
    private sealed class PipeLook : ProbeContext
    {
        private readonly PipeLook? _parent;
        private bool _isRetry;

        public PipeLook(PipeLook? parent = null) => _parent = parent;

        public bool FoundRedelivery { get; private set; }

        public CancellationToken CancellationToken => CancellationToken.None;

        public void Add(string key, string value)
        {
            _isRetry |= key == "filterType" && value == "retry";
            if (_isRetry && key == "type" && value == "redelivery")
            {
                Report();
            }
        }

        public void Add(string key, object value)
        {
        }

        public void Set(object values)
        {
        }

        public void Set(IEnumerable<KeyValuePair<string, object>> values)
        {
        }

        public ProbeContext CreateScope(string key) => new PipeLook(this);

        private void Report()
        {
            FoundRedelivery = true;
            _parent?.Report();
        }
    }
}
