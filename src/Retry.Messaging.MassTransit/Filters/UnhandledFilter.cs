using MassTransit;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Decisions;
using Retry.Messaging.MassTransit.Faults;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>Takes the place of MassTransit's skipped queue: what nobody consumes is parked as Unhandled, with its bytes as they came.</summary>
/// <remarks>There is no Fault: MassTransit sends none for a message that it skips.</remarks>
internal sealed partial class UnhandledFilter(RetryPoint point, IRetryTransport transport, TimeProvider time, ILogger logger)
    : IFilter<ReceiveContext>
{
    public async Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        if (!context.TryGetPayload<SettledDelivery>(out _))
        {
            var delivery = transport.Open(context);
            var exception = new MessageNotConsumedException(context.InputAddress, $"No consumer on queue '{point.Queue}' takes a message of this type.");
            var failure = new FailedAttempt(exception, Environment.MachineName) { FallbackId = delivery.FallbackId, MessageDeadline = delivery.Deadline };
            var park = RetryDecider.Refuse(delivery.State, failure, ParkReason.Unhandled, time.GetUtcNow());
            await delivery.ParkAsync(
                park,
                new MassTransitFault(exception, null, null, context.InputAddress) { IsSkipped = true },
                context.CancellationToken).ConfigureAwait(false);
            context.GetOrAddPayload(static () => SettledDelivery.Instance);
            LogParked(point.Queue, park.State.Id, park.Reason.ToString());
        }

        await next.Send(context).ConfigureAwait(false);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("gradientRetryUnhandled").Add("queue", point.Queue);

    [LoggerMessage(LogEvents.Parked, LogLevel.Warning, "{Queue}: {RetryId} is parked as {Reason}: no consumer here takes its type. Remove the binding that brings it, or add the consumer and replay it.")]
    private partial void LogParked(string queue, string? retryId, string reason);
}
