using Microsoft.Extensions.Logging;
using Retry.Messaging.Decisions;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Attempts;

/// <summary>Makes what was decided of a failed message come true: publishes it, marks its delivery, logs it and has its Fault sent.</summary>
/// <remarks>
/// <list type="number">
/// <item>Climb or park: published and confirmed. Parked: then one Fault. Dropped: one Fault if its requester still waits.</item>
/// <item>From the confirm on the delivery is settled, whatever fails afterwards. So that is noted before anything is logged.</item>
/// </list>
/// </remarks>
internal sealed partial class OutcomeSettler(string queue, RetryReporter reporter, TimeProvider time, ILogger logger)
{
    /// <summary>Settles an attempt that has ended.</summary>
    public async Task SettleAsync(IAttempt attempt, RetryDelivery delivery, AttemptEnd end, CancellationToken cancellationToken)
    {
        switch (end.Decision)
        {
            case RetryDecision.Again again:
                await delivery.ClimbAsync(again, end.Cause, cancellationToken).ConfigureAwait(false);
                attempt.MarkSettled();
                Say(again, end.Cause, delivery.State.Attempt);
                await attempt.NotifyEndedAsync().ConfigureAwait(false);
                break;

            case RetryDecision.Park park:
                await ParkAsync(attempt, delivery, park, end.Exception, park.State.Error, cancellationToken).ConfigureAwait(false);
                break;

            case RetryDecision.Drop drop:
                delivery.Telemetry.Dropped(end.Exception);
                attempt.MarkSettled();
                reporter.Dropped(drop.State.Id, delivery.State.Attempt, drop.State.Error);
                await AnswerAsync(attempt, delivery, end.Exception, drop.State, cancellationToken).ConfigureAwait(false);
                break;

            case RetryDecision.Done:
                delivery.Telemetry.Done();
                await attempt.NotifyEndedAsync().ConfigureAwait(false);
                break;
        }
    }

    /// <summary>Sends a message up the ladder that has not been consumed. The caller logs why.</summary>
    public static async Task ClimbAsync(
        IAttempt attempt,
        RetryDelivery delivery,
        RetryDecision.Again again,
        ClimbCause cause,
        CancellationToken cancellationToken)
    {
        await delivery.ClimbAsync(again, cause, cancellationToken).ConfigureAwait(false);
        attempt.MarkSettled();
        await attempt.NotifyEndedAsync().ConfigureAwait(false);
    }

    /// <summary>Parks a message, and sends its Fault.</summary>
    /// <param name="attempt">What the framework knows of it.</param>
    /// <param name="delivery">The delivery.</param>
    /// <param name="park">The decision.</param>
    /// <param name="exception">What its attempt ended with.</param>
    /// <param name="error">The error, on one line, for the log.</param>
    /// <param name="cancellationToken">Cancelled when the delivery is lost or the host stops.</param>
    public async Task ParkAsync(
        IAttempt attempt,
        RetryDelivery delivery,
        RetryDecision.Park park,
        Exception exception,
        string? error,
        CancellationToken cancellationToken)
    {
        await delivery.ParkAsync(park, attempt.FaultOf(exception), cancellationToken).ConfigureAwait(false);
        attempt.MarkSettled();
        if (attempt.WasConsumed)
        {
            LogParked(queue, park.State.Id, park.Reason.ToString(), delivery.State.Attempt, error);
        }
        else
        {
            LogParkedUnread(queue, park.State.Id, park.Reason.ToString(), error);
        }

        await SendFaultAsync(attempt, delivery, exception, park.State, cancellationToken).ConfigureAwait(false);
    }

    // A requester that still waits is told now. Where none does, the answer would make an exchange that is never deleted.
    private Task AnswerAsync(IAttempt attempt, RetryDelivery delivery, Exception exception, RetryState dropped, CancellationToken cancellationToken) =>
        delivery.Deadline > time.GetUtcNow()
            ? SendFaultAsync(attempt, delivery, exception, dropped, cancellationToken)
            : attempt.NotifyEndedAsync();

    // Parked but not announced: the Fault is held like any outcome. One that cannot even be written must not hold the
    // message: its cause is in the parking lot.
    private async Task SendFaultAsync(IAttempt attempt, RetryDelivery delivery, Exception exception, RetryState ended, CancellationToken cancellationToken)
    {
        var unsendable = await FaultSending.TryAsync(delivery, token => attempt.SendFaultAsync(exception, ended, token), time, cancellationToken).ConfigureAwait(false);
        if (unsendable is not null)
        {
            LogFaultNotSent(queue, ended.Id, HeaderText.TypeName(unsendable), HeaderText.Message(unsendable));
            await attempt.NotifyEndedAsync().ConfigureAwait(false);
        }
    }

    private void Say(RetryDecision.Again again, ClimbCause cause, int attempt)
    {
        if (cause == ClimbCause.Asked)
        {
            LogRedelivery(queue, again.State.Id, again.Delay, attempt);
        }
        else if (cause == ClimbCause.Postponed)
        {
            LogPostponed(queue, again.State.Id, again.Delay);
        }
        else
        {
            reporter.Retried(again.State.Id, attempt, again.Delay, again.State.Error);
        }
    }

    [LoggerMessage(LogEvents.RedeliveryScheduled, LogLevel.Debug, "{Queue}: {RetryId} is delivered again in {Delay}, as its consumer asked in attempt {Attempt}")]
    private partial void LogRedelivery(string queue, string? retryId, TimeSpan delay, int attempt);

    [LoggerMessage(LogEvents.Postponed, LogLevel.Debug, "{Queue}: {RetryId} comes back in {Delay}. Nothing failed, and no attempt is used")]
    private partial void LogPostponed(string queue, string? retryId, TimeSpan delay);

    [LoggerMessage(LogEvents.Parked, LogLevel.Warning, "{Queue}: {RetryId} is parked as {Reason} after attempt {Attempt}: {Error}")]
    private partial void LogParked(string queue, string? retryId, string reason, int attempt, string? error);

    [LoggerMessage(LogEvents.Parked, LogLevel.Warning, "{Queue}: {RetryId} is parked as {Reason}, nobody consumed it: {Error}")]
    private partial void LogParkedUnread(string queue, string? retryId, string reason, string? error);

    [LoggerMessage(LogEvents.FaultNotSent, LogLevel.Error, "{Queue}: could not send the Fault of {RetryId}: {ErrorType}: {Error}")]
    private partial void LogFaultNotSent(string queue, string? retryId, string errorType, string error);
}
