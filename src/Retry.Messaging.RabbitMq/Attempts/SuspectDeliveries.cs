using Microsoft.Extensions.Logging;
using Retry.Messaging.Decisions;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.RabbitMq.Attempts;

/// <summary>Keeps a delivery away from its consumer that came back from a process that died, and parks it after ten deaths.</summary>
/// <param name="queue">The work queue.</param>
/// <param name="suspicion">Decides (<see cref="CrashSuspicion"/>).</param>
/// <param name="settler">Parks.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Where the delays are drawn from.</param>
/// <param name="logger">Where it says what it did.</param>
internal sealed partial class SuspectDeliveries(
    string queue,
    CrashSuspicion suspicion,
    OutcomeSettler settler,
    TimeProvider time,
    Random random,
    ILogger logger)
{
    /// <summary>Sends a suspect up the ladder, or parks it.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="unconsumed">Makes the attempt of a delivery that nobody consumes.</param>
    /// <param name="read">Reads a message that is to be parked, so that its Fault can carry it.</param>
    /// <param name="cancellationToken">Cancelled when the delivery is lost or the host stops.</param>
    /// <returns>Whether it did; otherwise the delivery may be consumed.</returns>
    public async Task<bool> KeepAwayAsync(
        RetryDelivery delivery,
        Func<RetryDecision, IAttempt> unconsumed,
        Action<IAttempt> read,
        CancellationToken cancellationToken)
    {
        if (!suspicion.Concerns(delivery.State, delivery.CameBack))
        {
            return false;
        }

        var died = delivery.CameBack
            && (await delivery.HasSomebodyDiedAsync(cancellationToken).ConfigureAwait(false) ?? delivery.Returns >= suspicion.ReturnsAtLeast);
        var decision = suspicion.Decide(delivery.State, died, () => delivery.FallbackId, time.GetUtcNow(), random);
        if (decision is null)
        {
            return false;
        }

        using var attempt = unconsumed(decision);
        if (decision is RetryDecision.Again again)
        {
            await OutcomeSettler.ClimbAsync(attempt, delivery, again, ClimbCause.Suspected, cancellationToken).ConfigureAwait(false);
            Say(again);
        }
        else if (decision is RetryDecision.Park park)
        {
            if (!delivery.CameBack)
            {
                // Its Fault carries the message, which is read for it. Once only: should reading be what kills,
                // the message comes back, is parked unread, and its Fault says nothing of its type.
                read(attempt);
            }

            var exception = new PoisonMessageException(queue, park.State.Crashes);
            await settler.ParkAsync(attempt, delivery, park, exception, exception.Message, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private void Say(RetryDecision.Again again)
    {
        if (CrashSuspicion.IsWorthAWarning(again.State.Crashes))
        {
            LogSuspected(queue, again.State.Id, again.State.Crashes, again.Delay, suspicion.DeathsAtMost);
        }
        else
        {
            LogCameBack(queue, again.State.Id, again.Delay);
        }
    }

    [LoggerMessage(LogEvents.CameBack, LogLevel.Information, "{Queue}: {RetryId} came back from a process that died. It is consumed in {Delay}, apart from its neighbours")]
    private partial void LogCameBack(string queue, string? retryId, TimeSpan delay);

    [LoggerMessage(LogEvents.Suspected, LogLevel.Warning, "{Queue}: {RetryId} was there when {Deaths} processes died in a row, and may have killed its consumer. It is kept away for {Delay}, and parked after {DeathsAtMost}")]
    private partial void LogSuspected(string queue, string? retryId, int deaths, TimeSpan delay, int deathsAtMost);
}
