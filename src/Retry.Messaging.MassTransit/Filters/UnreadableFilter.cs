using System.Runtime.Serialization;
using MassTransit;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Decisions;
using Retry.Messaging.MassTransit.Faults;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>Takes the place of MassTransit's error queue: what cannot be read is parked as Malformed, with its bytes as they came.</summary>
/// <remarks>
/// A message that cannot be deserialized never reaches the consume pipe, and with it our filter there. Anything else that comes
/// here was thrown outside that filter, by a filter that the user put in front of it, and is decided on by the same rules.
/// </remarks>
internal sealed partial class UnreadableFilter(
    RetryPoint point,
    IRetryTransport transport,
    OutcomeSettler settler,
    TimeProvider time,
    Random random,
    ILogger logger)
    : IFilter<ExceptionReceiveContext>
{
    /// <summary>How long a delivery is kept that nothing can be done with, before it goes back.</summary>
    public static readonly TimeSpan DefectPause = TimeSpan.FromSeconds(10);

    public async Task Send(ExceptionReceiveContext context, IPipe<ExceptionReceiveContext> next)
    {
        if (!context.TryGetPayload<SettledDelivery>(out _))
        {
            await SettleOrPauseAsync(context).ConfigureAwait(false);
            context.GetOrAddPayload(static () => SettledDelivery.Instance);
        }

        if (!context.IsDelivered && !context.IsFaulted)
        {
            // else a copy goes the way of messages that nobody consumed
            await context.NotifyFaulted(context.Exception).ConfigureAwait(false);
        }

        await next.Send(context).ConfigureAwait(false);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("gradientRetryUnreadable").Add("queue", point.Queue);

    // What goes wrong with one delivery of a message goes wrong with the next, which comes at once: a defect must not spin.
    private async Task SettleOrPauseAsync(ExceptionReceiveContext context)
    {
        try
        {
            await SettleAsync(context, context.Exception).ConfigureAwait(false);
        }
        catch (Exception defect) when (defect is not OperationCanceledException)
        {
            // before it is said: writing a log may be what goes wrong
            await Task.Delay(DefectPause, time, context.CancellationToken).ConfigureAwait(false);
            LogNotSettled(defect, point.Queue);
            throw;
        }
    }

    private async Task SettleAsync(ExceptionReceiveContext context, Exception exception)
    {
        var delivery = transport.Open(context);
        var now = time.GetUtcNow();
        var failure = new FailedAttempt(exception, Environment.MachineName)
        {
            FallbackId = delivery.FallbackId,
            MessageDeadline = delivery.Deadline,
            IsRequest = context.GetRequestId() is not null,
        };
        RetryDecision decision = ExceptionLevels.Innermost(exception) is SerializationException || exception is SerializationException
            ? RetryDecider.Refuse(delivery.State, failure, ParkReason.Malformed, now)
            : RetryDecider.Decide(delivery.State, failure, point.Rules, now, random);
        await settler.SettleAsync(
            new UnreadAttempt(context, time),
            delivery,
            new AttemptEnd(exception, decision, ClimbCause.Failed(exception)),
            context.CancellationToken).ConfigureAwait(false);
    }

    [LoggerMessage(LogEvents.NotSettled, LogLevel.Error, "{Queue}: could neither retry nor park a failed message, because of a defect. The message goes back to its queue and is repeated under the same attempt")]
    private partial void LogNotSettled(Exception defect, string queue);

    private sealed class UnreadAttempt(ExceptionReceiveContext context, TimeProvider time) : UnconsumedAttempt(context)
    {
        private readonly ExceptionReceiveContext _context = context;

        public override FaultDetails FaultOf(Exception exception) => new MassTransitFault(exception, null, null, _context.InputAddress);

        public override Task SendFaultAsync(Exception exception, RetryState ended, CancellationToken cancellationToken) =>
            ParkedReceiveFault.SendAsync(_context, null, exception, ended, time.GetUtcNow(), cancellationToken);
    }
}
