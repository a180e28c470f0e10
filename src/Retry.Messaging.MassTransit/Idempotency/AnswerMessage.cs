using MassTransit;
using MassTransit.Middleware;
using MassTransit.Serialization;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>An answer as it goes out for one delivery.</summary>
/// <param name="answer">The answer.</param>
/// <param name="context">The delivery: a response goes to its requester.</param>
/// <param name="now">The current time.</param>
internal sealed class AnswerMessage(StoredAnswer answer, ConsumeContext context, DateTimeOffset now) : OutboxMessageContext
{
    /// <summary>Where it goes; <see langword="null"/> for a response that nobody waits for.</summary>
    public Uri? DestinationAddress => answer.IsResponse ? context.ResponseAddress : answer.DestinationAddress;

    public long SequenceNumber => 0;

    public Guid MessageId => answer.MessageId;

    public Guid? RequestId => answer.IsResponse ? context.RequestId : answer.RequestId;

    public Guid? CorrelationId => answer.CorrelationId;

    public Guid? ConversationId => answer.ConversationId;

    public Guid? InitiatorId => answer.InitiatorId;

    public DateTime? ExpirationTime =>
        answer.IsResponse && context.ExpirationTime is { } expires ? expires : (now + answer.TimeToLive)?.UtcDateTime;

    public Uri? SourceAddress => answer.SourceAddress;

    public Uri? ResponseAddress => answer.ResponseAddress;

    public Uri? FaultAddress => answer.FaultAddress;

    public DateTime? SentTime => answer.SentTime;

    public Headers Headers { get; } = new DictionarySendHeaders(context.SerializerContext.DeserializeDictionary<object?>(answer.Headers) ?? []);

    public HostInfo Host => context.Host;

    public string ContentType => answer.ContentType;

    public string MessageType => answer.MessageType;

    public string Body => answer.Body;

    public IReadOnlyDictionary<string, object> Properties { get; } = context.SerializerContext.DeserializeDictionary<object>(answer.Properties) ?? [];

    Guid? MessageContext.MessageId => MessageId;

    /// <summary>Sends it.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task SendAsync(CancellationToken cancellationToken)
    {
        if (DestinationAddress is not { } destination)
        {
            return;
        }

        // not the context's own way of sending: that would give the message the ids of this delivery
        var endpoint = await context.ReceiveContext.SendEndpointProvider.GetSendEndpoint(destination).ConfigureAwait(false);
        await endpoint.Send(new SerializedMessageBody(), new SendPipe(this, destination, answer.DueAt - now), cancellationToken).ConfigureAwait(false);
    }

    private sealed class SendPipe(AnswerMessage message, Uri destination, TimeSpan? delay) : IPipe<SendContext>
    {
        private readonly OutboxMessageSendPipe _pipe = new(message, destination);

        public async Task Send(SendContext context)
        {
            await _pipe.Send(context).ConfigureAwait(false);
            if (context.TimeToLive <= TimeSpan.Zero)
            {
                context.TimeToLive = TimeSpan.FromSeconds(1);
            }

            if (delay > TimeSpan.Zero)
            {
                context.Delay = delay;
            }
        }

        public void Probe(ProbeContext context) => _pipe.Probe(context);
    }
}
