using System.Net.Mime;
using MassTransit;
using MassTransit.RabbitMqTransport;
using Retry.Messaging.Naming;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>Makes a small record of the stream from a cancel: all that it says is in a header, so that an outbox keeps it.</summary>
internal static class CancelSend
{
    /// <summary>Whether a send is a cancel.</summary>
    public static bool Concerns(SendContext context) =>
        context.TryGetPayload<RabbitMqSendContext>(out var rabbit)
        && rabbit.Exchange == RabbitMqExchangeNames.ReplyTo
        && context.Headers.TryGetHeader(RetryHeaderNames.Cancelled, out _);

    /// <summary>Rewrites the context of such a send.</summary>
    public static void Rewrite(SendContext context)
    {
        var rabbit = context.GetPayload<RabbitMqSendContext>();
        // for a consumer whose message wants its answer on a channel, MassTransit has put that one's key here
        rabbit.RoutingKey = BrokerNames.CancelledStream;
        rabbit.Mandatory = true;
        rabbit.AwaitAck = true;
        context.TimeToLive = null;
        context.Delay = null;
        context.Durable = true;
        context.Serializer = NoBody.Instance;
    }

    private sealed class NoBody : IMessageSerializer
    {
        public static readonly NoBody Instance = new();

        public ContentType ContentType { get; } = new(MediaTypeNames.Application.Octet);

        public MessageBody GetMessageBody<T>(SendContext<T> context)
            where T : class =>
            new EmptyMessageBody();
    }
}
