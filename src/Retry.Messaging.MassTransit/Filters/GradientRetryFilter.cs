using MassTransit;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Decisions;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.RabbitMq.Circuit;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>Runs an attempt and makes its outcome safe.</summary>
/// <remarks>
/// The life of a delivery:
/// <list type="number">
/// <item>It comes back from a process that died: it may have killed it (<see cref="CrashSuspicion"/>), and is kept apart before it is consumed.</item>
/// <item>It came before its due time: it goes up the ladder again for the rest, and no attempt is used, unless an operator has released it.</item>
/// <item>The target is ill: it waits until it may begin (<see cref="CircuitGate"/>). What waited like that when its process died is no suspect.</item>
/// <item>It has waited beyond its validity: it is parked.</item>
/// <item>The rest of the pipe runs: retries in memory, outbox, transaction, consumer. What becomes of the message is decided when it has ended, once.</item>
/// <item>No exception: done, unless the consumer said something else (<see cref="SaidOutcome"/>); then that is decided on.</item>
/// <item>The host is stopping, or the delivery is lost: no outcome. It goes back untouched.</item>
/// <item>An exception is decided on (<see cref="RetryDecider"/>): climb, park, drop or done.</item>
/// <item>It is settled (<see cref="OutcomeSettler"/>): published and confirmed, then announced.</item>
/// <item>MassTransit acknowledges, because nothing is thrown from here.</item>
/// </list>
/// It stands before the message type router, so everything that is configured on the endpoint is inside it, in whichever
/// order it was configured: an outbox outside would take the ended exception for success, and commit.
/// </remarks>
internal sealed partial class GradientRetryFilter(
    RetryPoint point,
    IRetryTransport transport,
    CrashSuspicion suspicion,
    Func<ConsumeContext, bool> read,
    OutcomeSettler settler,
    TimeProvider time,
    Random random,
    ILogger logger)
    : IFilter<ConsumeContext>
{
    private readonly AttemptDecisions _decisions = new(point, time, random);
    private readonly SuspectDeliveries _suspects = new(point.Queue, suspicion, settler, time, random, logger);
    private readonly OutlivedDeliveries _outlived = new(point.Queue, settler, time);
    private readonly EarlyDeliveries _early = new(point.Queue, point.Released, time, logger);

    public async Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        try
        {
            await ConsumeAsync(context, next).ConfigureAwait(false);
        }
        catch
        {
            context.ReceiveContext.GetOrAddPayload(static () => UnsettledDelivery.Instance);
            throw;
        }
    }

    public void Probe(ProbeContext context)
    {
        var scope = context.CreateFilterScope("gradientRetry");
        scope.Add("queue", point.Queue);
        scope.Add("policy", point.Rules.ToString());
    }

    private async Task ConsumeAsync(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        var delivery = transport.Open(context.ReceiveContext, context);
        var isExcused = point.Gate?.Excuses(delivery.State, suspicion) == true;
        if ((!isExcused && await _suspects.KeepAwayAsync(delivery, Unconsumed, Read, context.CancellationToken).ConfigureAwait(false))
            || await _early.SendBackAsync(delivery, Unconsumed, context.CancellationToken).ConfigureAwait(false))
        {
            return;
        }

        var passage = point.Gate is { IsFree: false } gate
            ? await gate.EnterAsync(delivery, Unconsumed, settler, context.CancellationToken).ConfigureAwait(false)
            : Passage.Free;
        if (passage.IsAside || await _outlived.ParkAsync(delivery, Unconsumed, context.CancellationToken).ConfigureAwait(false))
        {
            return;
        }

        var began = delivery.Telemetry.Began(delivery.State.Attempt, delivery.State.DueAt);
        Exception? failure = null;
        var attempt = new AttemptContext(
            context,
            delivery,
            point.Rules.AttemptTimeout,
            time)
        {
            Rules = point.Rules,
            Decisions = _decisions,
        };
        try
        {
            failure = await ConsumerRun.EndAsync(
                next.Send(attempt),
                delivery,
                time,
                () => LogAbandoned(point.Queue, delivery.State.Attempt, ConsumerRun.Patience.TotalSeconds),
                context.CancellationToken).ConfigureAwait(false);
            if (failure is null)
            {
                await attempt.ConsumeCompleted.ConfigureAwait(false);
            }
        }
#pragma warning disable CA1031 // whatever a consumer throws is its attempt's outcome
        catch (Exception exception)
        {
            failure = exception;
        }
#pragma warning restore CA1031
        finally
        {
            delivery.Telemetry.Ended(began);
            attempt.Dispose();
        }

        if (failure is not null)
        {
            failure = attempt.FailureOf(failure);
        }

        // an exception stands over what was said before it: a transaction or an outbox has undone the rest, too
        var said = attempt.End();
        if (failure is null && said is null)
        {
            delivery.Telemetry.Done();
            await TellAsync(null).ConfigureAwait(false);
            return;
        }

        if (context.CancellationToken.IsCancellationRequested)
        {
            LogGivenBack(point.Queue, delivery.State.Attempt);
            throw new OperationCanceledException(
                "The host is stopping or the delivery was lost: no outcome, the message goes back.",
                failure,
                context.CancellationToken);
        }

        var end = failure is null
            ? attempt.EndOf(said!)
            : new AttemptEnd(failure, attempt.Decide(failure), (failure as DecidedException)?.Cause ?? ClimbCause.Failed(failure));
        end = await TellAsync(end).ConfigureAwait(false) ?? end;
        point.Gate?.Note(delivery, end);
        await settler.SettleAsync(attempt, delivery, end, context.CancellationToken).ConfigureAwait(false);

        async ValueTask<AttemptEnd?> TellAsync(AttemptEnd? ended) => passage.Permit is { } permit
            ? await point.Gate!.EndAsync(permit, delivery, ended, (failed, delay) => _decisions.Probed(attempt, failed, delay)).ConfigureAwait(false)
            : ended;

        void Read(IAttempt attempt) => read((AttemptContext)attempt);

        AttemptContext Unconsumed(RetryDecision _) => new(context, delivery, null, time)
        {
            Rules = point.Rules,
            Decisions = _decisions,
            WasConsumed = false,
        };
    }

    [LoggerMessage(LogEvents.ConsumerAbandoned, LogLevel.Error, "{Queue}: the broker took a delivery away from its consumer (attempt {Attempt}), because it took too long. The consumer did not listen to its CancellationToken for {Seconds} s, and the endpoint no longer waits for it. The message runs again under the same number, perhaps beside it. Shorten the consumer, set an AttemptTimeout and pass context.CancellationToken on, or raise the broker's consumer timeout")]
    private partial void LogAbandoned(string queue, int attempt, double seconds);

    [LoggerMessage(LogEvents.GivenBack, LogLevel.Debug, "{Queue}: attempt {Attempt} was cut off and is repeated under the same number")]
    private partial void LogGivenBack(string queue, int attempt);
}
