using System.Collections.Frozen;
using MassTransit;
using MassTransit.Context;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Recurring;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>Marks a send that is not meant to arrive: it shows what MassTransit would publish, with all its filters and conventions.</summary>
internal sealed class RecurringCapture
{
    // of this send, and not of what is sent hours later
    private static readonly FrozenSet<string> OfTheCall = ["MT-Activity-Id", "MT-Activity-Correlation-Context", "traceparent", "tracestate", "baggage", "ConversationId", "InitiatorId"];

    /// <summary>Gets what it would publish.</summary>
    public RecurringMessage? Message { get; private set; }

    /// <summary>Whether a send is one of these.</summary>
    public static RecurringCapture? Of(SendContext context) => context.TryGetPayload<RecurringCapture>(out var capture) ? capture : null;

    /// <summary>Takes over what is published, and has it go nowhere.</summary>
    public void Take<T>(SendContext<T> context)
        where T : class
    {
        var properties = context.GetPayload<RabbitMqSendContext>().BasicProperties;
        var kept = ScheduledSend.TakeOff(context);
        var body = ((MessageSendContext<T>)context).Body.GetBytes();

        // MassTransit writes these after the observers
        var copy = new BasicProperties(properties)
        {
            ContentType = context.ContentType?.ToString(),
            CorrelationId = context.CorrelationId?.ToString(),
            Persistent = context.Durable,
            Headers = new Dictionary<string, object?>(properties.Headers!),
        };
        foreach (var (name, value) in context.Headers.GetAll().Where(header => header.Value is not null && !OfTheCall.Contains(header.Key)))
        {
            copy.Headers.TryAdd(name, value);
        }

        Message = RecurringMessage.Of(kept, copy, EnvelopeStamp.TakeOff(copy.ContentType, body));
        ScheduledSend.GoNowhere(context);
    }
}
