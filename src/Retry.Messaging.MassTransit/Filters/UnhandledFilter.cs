using MassTransit;
using Retry.Messaging.Decisions;
using Retry.Messaging.MassTransit.Faults;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>Takes the place of MassTransit's skipped queue: what nobody consumes is parked as Unhandled, with its bytes as they came.</summary>
internal sealed class UnhandledFilter(RetryPoint point, IRetryTransport transport, OutcomeSettler settler, TimeProvider time) : IFilter<ReceiveContext>
{
    private const string NextStep = "Remove the binding that brings it, or add the consumer and replay it.";

    public async Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        if (!context.TryGetPayload<SettledDelivery>(out _))
        {
            var delivery = transport.Open(context);
            var exception = new MessageNotConsumedException(context.InputAddress, $"No consumer on queue '{point.Queue}' takes a message of this type.");
            var failure = new FailedAttempt(exception, Environment.MachineName) { FallbackId = delivery.FallbackId, MessageDeadline = delivery.Deadline };
            var park = RetryDecider.Refuse(delivery.State, failure, ParkReason.Unhandled, time.GetUtcNow());
            using var attempt = new SkippedAttempt(context);
            await settler.ParkAsync(attempt, delivery, park, exception, $"{park.State.Error} {NextStep}", context.CancellationToken).ConfigureAwait(false);
        }

        await next.Send(context).ConfigureAwait(false);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("gradientRetryUnhandled").Add("queue", point.Queue);

    /// <summary>There is no Fault: MassTransit sends none for a message that it skips.</summary>
    private sealed class SkippedAttempt(ReceiveContext context) : UnconsumedAttempt(context)
    {
        private readonly Uri _address = context.InputAddress;

        public override FaultDetails FaultOf(Exception exception) => new MassTransitFault(exception, null, null, _address) { IsSkipped = true };

        public override Task SendFaultAsync(Exception exception, RetryState ended, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
