using MassTransit;
using MassTransit.Configuration;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>The types of message that an endpoint consumes, for a message that is given up before any consumer has taken it.</summary>
internal sealed class ConsumedTypes : ConfigurationObserver, IMessageConfigurationObserver
{
    private readonly Dictionary<string, Func<ConsumeContext, bool>> _reads = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    public ConsumedTypes(IReceiveEndpointConfigurator endpoint)
        : base(endpoint)
    {
        Connect(this);
    }

    /// <summary>The types' names, with their namespaces.</summary>
    public IReadOnlyCollection<string> Names => _names;

    public void MessageConfigured<TMessage>(IConsumePipeConfigurator configurator)
        where TMessage : class => Add<TMessage>();

    public override void BatchConsumerConfigured<TConsumer, TMessage>(IConsumerMessageConfigurator<TConsumer, Batch<TMessage>> configurator) => Add<TMessage>();

    /// <summary>Reads a message as the first of its types that is consumed here, as its context then remembers; one that says no type, as any.</summary>
    /// <returns>Whether there is one, and the message could be read as it.</returns>
    public bool Read(ConsumeContext context)
    {
        try
        {
            return context.SupportedMessageTypes.Any(type => _reads.TryGetValue(type, out var read) && read(context))
                || _reads.Values.Any(read => read(context));
        }
#pragma warning disable CA1031 // what cannot be read as its type has no type: converters are a user's code
        catch (Exception)
        {
            return false;
        }
#pragma warning restore CA1031
    }

    // endpoints are configured one after the other, and nothing is added once messages are consumed
    private void Add<TMessage>()
        where TMessage : class
    {
        _reads.TryAdd(MessageUrn.ForTypeString<TMessage>(), static context => context.TryGetMessage<TMessage>(out _));
        _names.Add(TypeCache<TMessage>.ShortName);
    }
}
