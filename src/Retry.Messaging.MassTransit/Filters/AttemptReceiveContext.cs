using System.Diagnostics.CodeAnalysis;
using MassTransit;
using MassTransit.Context;
using Retry.Messaging.RabbitMq.Attempts;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>The receive context of an attempt as its consumer sees it: as that of the first delivery was, but for the redelivery count.</summary>
internal sealed class AttemptReceiveContext(ReceiveContext context, RetryDelivery delivery) : ReceiveContextProxy(context), ReceiveContext
{
    private readonly ReceiveContext _context = context;
    private AttemptHeaders? _headers;

    Headers ReceiveContext.TransportHeaders => _headers ??= new AttemptHeaders(_context.TransportHeaders, delivery);

    public override bool TryGetPayload<TPayload>([NotNullWhen(true)] out TPayload payload)
    {
        if (delivery.Payload is TPayload original)
        {
            payload = original;
            return true;
        }

        return _context.TryGetPayload(out payload!);
    }
}
