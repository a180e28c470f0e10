using MassTransit;
using MassTransit.Context;
using MassTransit.Middleware;
using MassTransit.Middleware.Outbox;
using MassTransit.Serialization;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>A bus outbox without a database: it stores what MassTransit's for Entity Framework stores, as text, and sends from that, late.</summary>
/// <remarks>Storing is written after EntityFrameworkOutboxExtensions.AddSend, sending after BusOutboxDeliveryService, both of MassTransit 8.5.</remarks>
internal sealed class StoredOutbox : OutboxSendContext
{
    private readonly List<InMemoryOutboxMessage> _stored = [];

    public int Count => _stored.Count;

    public Task AddSend<T>(SendContext<T> context)
        where T : class
    {
        var now = DateTime.UtcNow;
        var deserializer = SystemTextJsonMessageSerializer.Instance;
        var message = new InMemoryOutboxMessage
        {
            MessageId = context.MessageId!.Value,
            ConversationId = context.ConversationId,
            CorrelationId = context.CorrelationId,
            InitiatorId = context.InitiatorId,
            RequestId = context.RequestId,
            SourceAddress = context.SourceAddress,
            DestinationAddress = context.DestinationAddress,
            ResponseAddress = context.ResponseAddress,
            FaultAddress = context.FaultAddress,
            SentTime = context.SentTime ?? now,
            ContentType = context.ContentType?.ToString() ?? context.Serialization.DefaultContentType.ToString(),
            MessageType = string.Join(";", context.SupportedMessageTypes),
            Body = context.Serializer.GetMessageBody(context).GetString(),
            ExpirationTime = now + context.TimeToLive,
            EnqueueTime = now + context.Delay,
            Headers = deserializer.SerializeDictionary(context.Headers.GetAll()),
        };
        if (context is TransportSendContext<T> transport)
        {
            var properties = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
            transport.WritePropertiesTo(properties);
            message.Properties = deserializer.SerializeDictionary(properties);
        }

        lock (_stored)
        {
            _stored.Add(message);
        }

        return Task.CompletedTask;
    }

    /// <summary>Sends all that is stored, as a delivery service does some time after the commit.</summary>
    public async Task DeliverAsync(IBus bus)
    {
        foreach (var message in _stored)
        {
            message.Deserialize(SystemTextJsonMessageSerializer.Instance);
            var endpoint = await bus.GetSendEndpoint(message.DestinationAddress!);
            await endpoint.Send(new SerializedMessageBody(), new OutboxMessageSendPipe(message, message.DestinationAddress));
        }

        _stored.Clear();
    }

    /// <summary>Drops what is stored, as a roll-back does.</summary>
    public void RollBack() => _stored.Clear();

    object? IServiceProvider.GetService(Type serviceType) => null;
}
