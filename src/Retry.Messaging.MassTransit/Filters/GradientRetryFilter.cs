using MassTransit;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Decisions;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.State;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>Runs an attempt and makes its outcome safe.</summary>
/// <remarks>
/// The life of a delivery:
/// <list type="number">
/// <item>It comes back from a process that died: it may have killed it (<see cref="CrashSuspicion"/>), and is kept apart before it is consumed.</item>
/// <item>It came before its due time: it goes up the ladder again for the rest, and no attempt is used.</item>
/// <item>The rest of the pipe runs: retries in memory, outbox, transaction, consumer. What becomes of the message is decided when it has ended, once.</item>
/// <item>No exception: done, or decided on like a failure where the consumer asked for another attempt.</item>
/// <item>The host is stopping, or the delivery is lost: no outcome. It goes back untouched.</item>
/// <item>The exception is decided on (<see cref="RetryDecider"/>): climb, park, drop or done.</item>
/// <item>Climb or park: published and confirmed. Parked: then one Fault. Dropped: one Fault if its requester still waits.</item>
/// <item>MassTransit acknowledges, because nothing is thrown from here.</item>
/// </list>
/// It stands before the message type router, so everything that is configured on the endpoint is inside it, in whichever
/// order it was configured: an outbox outside would take the ended exception for success, and commit.
/// </remarks>
internal sealed partial class GradientRetryFilter(RetryPoint point, IRetryTransport transport, CrashSuspicion suspicion, Func<ConsumeContext, bool> read, RetryReporter reporter, TimeProvider time, Random random, ILogger logger)
    : IFilter<ConsumeContext>
{
    // asked of the operating system anew each time
    private static readonly string Host = Environment.MachineName;

    private long _early;
    private long _earlyLogged;

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
        if (await IsSuspectedAsync(context, delivery).ConfigureAwait(false) || await CameEarlyAsync(context, delivery).ConfigureAwait(false))
        {
            return;
        }

        delivery.Telemetry.Began(delivery.State.Attempt, delivery.State.DueAt);
        Exception? failure = null;
        var attempt = new AttemptContext(context, delivery, point.Rules.AttemptTimeout, time) { Decider = (self, exception) => Decide(self, delivery, exception) };
        try
        {
            await ConsumerRun.EndAsync(next.Send(attempt), delivery, time, () => LogAbandoned(point.Queue, delivery.State.Attempt, ConsumerRun.Patience.TotalSeconds), context.CancellationToken).ConfigureAwait(false);
            await attempt.ConsumeCompleted.ConfigureAwait(false);
        }
#pragma warning disable CA1031 // whatever a consumer throws is its attempt's outcome
        catch (Exception exception)
        {
            failure = attempt.OriginalOf(exception);
            if (attempt.TimedOut)
            {
                failure = new TimeoutException($"The attempt took longer than {point.Rules.AttemptTimeout}.", failure);
            }
        }
#pragma warning restore CA1031
        finally
        {
            attempt.Dispose();
        }

        // an exception stands over a redelivery that was asked for before it: a transaction or an outbox has undone the rest, too
        var asked = attempt.End();
        if (failure is null && asked is null)
        {
            delivery.Telemetry.Done();
            return;
        }

        if (context.CancellationToken.IsCancellationRequested)
        {
            LogGivenBack(point.Queue, delivery.State.Attempt);
            throw new OperationCanceledException("The host is stopping or the delivery was lost: no outcome, the message goes back.", failure, context.CancellationToken);
        }

        var end = failure is null
            ? DecideOnRedelivery(attempt, delivery, asked.GetValueOrDefault())
            : new AttemptEnd(failure, attempt.Decide(failure), ClimbCause.Failed(failure));
        await SettleAsync(attempt, delivery, end, context.CancellationToken).ConfigureAwait(false);
    }

    private async Task SettleAsync(AttemptContext attempt, RetryDelivery delivery, AttemptEnd end, CancellationToken cancellationToken)
    {
        var exception = end.Exception;
        switch (end.Decision)
        {
            case RetryDecision.Again again:
                await delivery.ClimbAsync(again, end.Cause, cancellationToken).ConfigureAwait(false);
                LogAgain(end, again, delivery.State.Attempt);
                MarkSettled(attempt);
                await attempt.NotifyEndedAsync().ConfigureAwait(false);
                break;

            case RetryDecision.Park park:
                await delivery.ParkAsync(park, attempt.FaultOf(exception), cancellationToken).ConfigureAwait(false);
                LogParked(point.Queue, park.State.Id, park.Reason.ToString(), delivery.State.Attempt, park.State.Error);
                MarkSettled(attempt);
                await SendFaultAsync(attempt, delivery, exception, park.State, cancellationToken).ConfigureAwait(false);
                break;

            case RetryDecision.Drop drop:
                delivery.Telemetry.Dropped();
                reporter.Dropped(drop.State.Id, delivery.State.Attempt, drop.State.Error);
                MarkSettled(attempt);
                await AnswerAsync(attempt, delivery, exception, drop.State, cancellationToken).ConfigureAwait(false);
                break;

            case RetryDecision.Done:
                delivery.Telemetry.Done();
                await attempt.NotifyEndedAsync().ConfigureAwait(false);
                break;
        }
    }

    private RetryDecision Decide(AttemptContext attempt, RetryDelivery delivery, Exception exception)
    {
        var failure = FailureOf(attempt, delivery, exception);
        var now = time.GetUtcNow();
        return attempt.IsUnreadable(exception)
            ? RetryDecider.Refuse(delivery.State, failure, ParkReason.Malformed, now)
            : RetryDecider.Decide(delivery.State, failure, point.Rules, now, random);
    }

    private AttemptEnd DecideOnRedelivery(AttemptContext attempt, RetryDelivery delivery, TimeSpan delay)
    {
        var refused = new RedeliveryRefusedException(point.Queue, delay, point.Rules);
        return new AttemptEnd(refused, RetryDecider.Redeliver(delivery.State, FailureOf(attempt, delivery, refused), delay, point.Rules, time.GetUtcNow(), random), ClimbCause.Asked);
    }

    private static FailedAttempt FailureOf(AttemptContext attempt, RetryDelivery delivery, Exception exception) => new(exception, Host)
    {
        MessageType = attempt.MessageType,
        FallbackId = delivery.FallbackId,
        MessageDeadline = delivery.Deadline,
        IsRequest = attempt.IsRequest,
    };

    private static void MarkSettled(ConsumeContext context) => context.ReceiveContext.GetOrAddPayload(static () => SettledDelivery.Instance);

    // Whoever still waits is told now. Where nobody does, the answer would make an exchange that nobody deletes.
    private Task AnswerAsync(AttemptContext attempt, RetryDelivery delivery, Exception exception, RetryState dropped, CancellationToken cancellationToken) =>
        delivery.Deadline > time.GetUtcNow()
            ? SendFaultAsync(attempt, delivery, exception, dropped, cancellationToken)
            : attempt.NotifyEndedAsync();

    // Parked but not announced: the Fault is held like any outcome. One that cannot even be written must not hold the
    // message: its cause is in the parking lot.
    private async Task SendFaultAsync(AttemptContext attempt, RetryDelivery delivery, Exception exception, RetryState parked, CancellationToken cancellationToken)
    {
        if (await FaultSending.TryAsync(delivery, token => attempt.SendFaultAsync(exception, parked, time, token), time, cancellationToken).ConfigureAwait(false) is { } unsendable)
        {
            LogFaultNotSent(point.Queue, parked.Id, HeaderText.TypeName(unsendable), HeaderText.Message(unsendable));
            await attempt.NotifyEndedAsync().ConfigureAwait(false);
        }
    }

    private async Task<bool> IsSuspectedAsync(ConsumeContext context, RetryDelivery delivery)
    {
        if (!suspicion.Concerns(delivery.State, delivery.CameBack))
        {
            return false;
        }

        var died = delivery.CameBack && (await delivery.HasSomebodyDiedAsync(context.CancellationToken).ConfigureAwait(false) ?? delivery.Returns >= suspicion.ReturnsAtLeast);
        switch (suspicion.Decide(delivery.State, died, () => delivery.FallbackId, time.GetUtcNow(), random))
        {
            case RetryDecision.Again again:
                await delivery.ClimbAsync(again, ClimbCause.Suspected, context.CancellationToken).ConfigureAwait(false);
                LogSuspected(again);
                MarkSettled(context);
                await AttemptContext.NotifyEndedAsync(context).ConfigureAwait(false);
                return true;

            case RetryDecision.Park park:
                var exception = new PoisonMessageException(point.Queue, park.State.Crashes);
                using (var attempt = new AttemptContext(context, delivery, null, time) { Decider = (_, _) => park })
                {
                    if (!delivery.CameBack)
                    {
                        // Its Fault carries the message, which is read for it. Once only: should reading be what kills,
                        // the message comes back, is parked unread, and its Fault says nothing of its type.
                        read(attempt);
                    }

                    await delivery.ParkAsync(park, attempt.FaultOf(exception), context.CancellationToken).ConfigureAwait(false);
                    LogParked(point.Queue, park.State.Id, park.Reason.ToString(), delivery.State.Attempt, exception.Message);
                    MarkSettled(context);
                    await SendFaultAsync(attempt, delivery, exception, park.State, context.CancellationToken).ConfigureAwait(false);
                }

                return true;

            default:
                return false;
        }
    }

    private async Task<bool> CameEarlyAsync(ConsumeContext context, RetryDelivery delivery)
    {
        var now = time.GetUtcNow();
        if (delivery.State.EarlyBy(now) == TimeSpan.Zero)
        {
            return false;
        }

        // a message that left the ladder later than it is now: this clock is behind, and the broker's tells what is early
        var behind = delivery.LeftLadderAt is { } left && left > now ? left - now : TimeSpan.Zero;
        var rest = delivery.State.EarlyBy(now + behind);

        // A rest below one step is waited for here. A longer one climbs again, but never hot: where a policy cuts the
        // rungs to nothing, the message would come back at once, thousands of times a second.
        do
        {
            // timers cut a wait to whole milliseconds, and what is left of one is no reason to climb
            await Task.Delay(rest < RestWaitedForHere ? TimeSpan.FromMilliseconds(Math.Ceiling(rest.TotalMilliseconds)) : PauseBeforeClimbingAgain, time, context.CancellationToken).ConfigureAwait(false);
            rest = delivery.State.EarlyBy(time.GetUtcNow() + behind);
            if (rest == TimeSpan.Zero)
            {
                return false;
            }
        }
        while (rest < RestWaitedForHere);

        ReportEarly(delivery.State.Id, rest);
        await delivery.ClimbAsync(new RetryDecision.Again(rest, delivery.State.DueAt!.Value, delivery.State), ClimbCause.Early, context.CancellationToken).ConfigureAwait(false);
        MarkSettled(context);
        await AttemptContext.NotifyEndedAsync(context).ConfigureAwait(false);
        return true;
    }

    private void LogSuspected(RetryDecision.Again again)
    {
        if (again.State.Crashes >= suspicion.DeathsToWarnAt)
        {
            LogSuspected(point.Queue, again.State.Id, again.State.Crashes, again.Delay, suspicion.DeathsAtMost);
        }
        else
        {
            LogCameBack(point.Queue, again.State.Id, again.Delay);
        }
    }

    private void LogAgain(AttemptEnd end, RetryDecision.Again again, int attempt)
    {
        if (end.Cause == ClimbCause.Asked)
        {
            LogRedelivery(point.Queue, again.State.Id, again.Delay, attempt);
        }
        else
        {
            reporter.Retried(again.State.Id, attempt, again.Delay, again.State.Error);
        }
    }

    // Where a policy cuts the rungs, every message comes early, each once a second: one line a minute tells it all.
    private void ReportEarly(string? retryId, TimeSpan rest)
    {
        var count = Interlocked.Increment(ref _early);
        var now = time.GetTimestamp();
        var last = Interlocked.Read(ref _earlyLogged);
        if ((last == 0 || time.GetElapsedTime(last, now) >= PauseBetweenReports) && Interlocked.CompareExchange(ref _earlyLogged, now, last) == last)
        {
            LogCameEarly(point.Queue, retryId, rest, count);
        }
    }

    private static readonly TimeSpan PauseBetweenReports = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RestWaitedForHere = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PauseBeforeClimbingAgain = TimeSpan.FromSeconds(1);

    [LoggerMessage(LogEvents.RedeliveryScheduled, LogLevel.Debug, "{Queue}: {RetryId} is delivered again in {Delay}, as its consumer asked in attempt {Attempt}")]
    private partial void LogRedelivery(string queue, string? retryId, TimeSpan delay, int attempt);

    [LoggerMessage(LogEvents.Parked, LogLevel.Warning, "{Queue}: {RetryId} is parked as {Reason} after attempt {Attempt}: {Error}")]
    private partial void LogParked(string queue, string? retryId, string reason, int attempt, string? error);

    [LoggerMessage(LogEvents.FaultNotSent, LogLevel.Error, "{Queue}: the Fault of {RetryId} could not be written: {ErrorType}: {Error}")]
    private partial void LogFaultNotSent(string queue, string? retryId, string errorType, string error);

    [LoggerMessage(LogEvents.CameEarly, LogLevel.Warning, "{Queue}: {RetryId} came {Rest} before it was due and climbs again; early deliveries so far: {Count}. Something cuts the delays short, for example a message-ttl policy that fits the ladder's queues: run 'retryctl topology verify'.")]
    private partial void LogCameEarly(string queue, string? retryId, TimeSpan rest, long count);

    [LoggerMessage(LogEvents.CameBack, LogLevel.Information, "{Queue}: {RetryId} came back from a process that died. It is consumed in {Delay}, apart from its neighbours")]
    private partial void LogCameBack(string queue, string? retryId, TimeSpan delay);

    [LoggerMessage(LogEvents.Suspected, LogLevel.Warning, "{Queue}: {RetryId} was there when {Deaths} processes died in a row, and may have killed its consumer. It is kept away for {Delay}, and parked after {DeathsAtMost}")]
    private partial void LogSuspected(string queue, string? retryId, int deaths, TimeSpan delay, int deathsAtMost);

    [LoggerMessage(LogEvents.ConsumerAbandoned, LogLevel.Error, "{Queue}: the broker took a delivery away from its consumer (attempt {Attempt}), which does not listen to its CancellationToken and is not waited for any longer, {Seconds} s later. The message runs again under the same number, perhaps beside it. Shorten the consumer, set an AttemptTimeout and pass context.CancellationToken on, or raise the broker's consumer timeout")]
    private partial void LogAbandoned(string queue, int attempt, double seconds);

    [LoggerMessage(LogEvents.GivenBack, LogLevel.Debug, "{Queue}: attempt {Attempt} was cut off and is repeated under the same number")]
    private partial void LogGivenBack(string queue, int attempt);
}
