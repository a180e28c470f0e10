using MassTransit;
using MassTransit.Context;
using MassTransit.Middleware;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>Collects what a consumer sends, publishes and responds with, instead of sending it.</summary>
/// <remarks>MassTransit's own outboxes hand their messages over in the same way.</remarks>
/// <param name="context">The delivery.</param>
/// <param name="isDuplicate">Whether a message that is sent has the key of the one that is consumed.</param>
/// <param name="time">The clock.</param>
internal sealed class AnswerCollection(ConsumeContext context, Func<SendContext, bool> isDuplicate, TimeProvider time) : OutboxSendContext
{
    private const string RabbitMqExchange = "RMQ-Exchange";

    private readonly Lock _lock = new();
    private readonly List<StoredAnswer> _answers = [];

    /// <summary>What was collected, in its order.</summary>
    public IReadOnlyCollection<StoredAnswer> Answers
    {
        get
        {
            lock (_lock)
            {
                return [.. _answers];
            }
        }
    }

    /// <summary>Whether the consumer sent its own message to its own queue once more, as <c>context.Defer</c> does: then it is not done.</summary>
    public bool ComesAgain { get; private set; }

    /// <summary>Drops all: the consumer failed, and what it had sent until then counts for nothing.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _answers.Clear();
            ComesAgain = false;
        }
    }

    public Task AddSend<T>(SendContext<T> send)
        where T : class
    {
        var now = time.GetUtcNow();
        var answer = new StoredAnswer
        {
            MessageId = send.MessageId ??= NewId.NextGuid(),
            IsResponse = send.RequestId is { } request ? request == context.RequestId : IsToRequester(send.DestinationAddress),
            RequestId = send.RequestId,
            CorrelationId = send.CorrelationId,
            ConversationId = send.ConversationId,
            InitiatorId = send.InitiatorId,
            SourceAddress = send.SourceAddress,
            DestinationAddress = send.DestinationAddress ?? throw new InvalidOperationException($"Found a {TypeCache<T>.ShortName} without a destination, wanted one: it could not be sent again."),
            ResponseAddress = send.ResponseAddress,
            FaultAddress = send.FaultAddress,
            TimeToLive = send.TimeToLive,
            DueAt = now + send.Delay,
            SentTime = send.SentTime ?? now.UtcDateTime,
            ContentType = send.ContentType?.ToString() ?? send.Serialization.DefaultContentType.ToString(),
            MessageType = string.Join(';', send.SupportedMessageTypes),
            Body = send.Serializer.GetMessageBody(send).GetString(),
            Headers = context.SerializerContext.SerializeDictionary(send.Headers.GetAll()),
            Properties = Properties(send),
        };
        lock (_lock)
        {
            _answers.Add(answer);
            ComesAgain |= IsToOwnQueue(send) && isDuplicate(send);
        }

        return Task.CompletedTask;
    }

    public object? GetService(Type serviceType) => context.TryGetPayload<IServiceProvider>(out var services) ? services.GetService(serviceType) : null;

    private bool IsToRequester(Uri? destination) => destination is not null && destination == context.ResponseAddress;

    // what is published may come back to its own queue; nobody but the broker knows
    private bool IsToOwnQueue(SendContext send) =>
        send is PublishContext || send.DestinationAddress?.AbsolutePath == context.ReceiveContext.InputAddress.AbsolutePath;

    private string? Properties(SendContext send)
    {
        if (send is not TransportSendContext transport)
        {
            return null;
        }

        var properties = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
        transport.WritePropertiesTo(properties);

        // a duplicate's response goes to its own requester, not to the exchange of the first one
        properties.Remove(RabbitMqExchange);
        return context.SerializerContext.SerializeDictionary(properties);
    }
}
