using MassTransit;
using Retry.Messaging.RabbitMq.Attempts;

namespace Retry.Messaging.MassTransit.Transports;

/// <summary>Where outcomes go: the ladder and the parking lot of one transport.</summary>
internal interface IRetryTransport
{
    /// <summary>Looks at a delivery: which attempt it is, and how to send it on.</summary>
    /// <param name="context">The delivery.</param>
    /// <param name="message">What it was read as; <see langword="null"/> when it could not be read.</param>
    RetryDelivery Open(ReceiveContext context, ConsumeContext? message = null);
}
