using Microsoft.Extensions.Logging;
using Retry.Messaging.Decisions;
using Retry.Messaging.RabbitMq.Strategies;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.RabbitMq.Attempts;

/// <summary>Sends what came before it was due up the ladder again, for the rest of its delay. No attempt is used.</summary>
/// <remarks>
/// A rest below 250 ms is waited for in place. A longer one climbs, but never hot: where a policy cuts the rungs to nothing, the message
/// would come back at once, thousands of times a second. One that was meant to come by goes up at once, or is due when an operator has
/// released it.
/// </remarks>
internal sealed partial class EarlyDeliveries(string queue, ReleasedMessages released, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RestWaitedForHere = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PauseBeforeClimbingAgain = TimeSpan.FromSeconds(1);

    private readonly OncePer _line = new(BetweenLines, time);
    private long _count;

    /// <summary>Sends a delivery back if it came early.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="unconsumed">Makes the attempt of a delivery that nobody consumes.</param>
    /// <param name="cancellationToken">Cancelled when the delivery is lost or the host stops.</param>
    /// <returns>Whether it did; otherwise it is due now.</returns>
    public async Task<bool> SendBackAsync(RetryDelivery delivery, Func<RetryDecision, IAttempt> unconsumed, CancellationToken cancellationToken)
    {
        // most deliveries are first ones, due at once: no clock is read for them
        if (delivery.State.DueAt is null)
        {
            return false;
        }

        var now = time.GetUtcNow();
        if (delivery.State.EarlyBy(now) == TimeSpan.Zero || released.Have(delivery.State))
        {
            return false;
        }

        // a message that left the ladder later than it is now: this clock is behind, and the broker's tells what is early
        var behind = delivery.LeftLadderAt is { } left && left > now ? left - now : TimeSpan.Zero;
        var rest = delivery.State.EarlyBy(now + behind);

        if (rest >= RestWaitedForHere && delivery.State.IsVisit(now + behind))
        {
            await SendUpAsync(ClimbCause.CameBy).ConfigureAwait(false);
            return true;
        }

        do
        {
            // timers cut a wait to whole milliseconds, and what is left of one is no reason to climb
            await Task.Delay(
                rest < RestWaitedForHere ? TimeSpan.FromMilliseconds(Math.Ceiling(rest.TotalMilliseconds)) : PauseBeforeClimbingAgain,
                time,
                cancellationToken).ConfigureAwait(false);
            rest = delivery.State.EarlyBy(time.GetUtcNow() + behind);
            if (rest == TimeSpan.Zero)
            {
                return false;
            }
        }
        while (rest < RestWaitedForHere);

        Report(delivery.State.Id, rest);
        await SendUpAsync(ClimbCause.Early).ConfigureAwait(false);
        return true;

        async Task SendUpAsync(ClimbCause cause)
        {
            var again = new RetryDecision.Again(rest, delivery.State.DueAt!.Value, delivery.State);
            using var attempt = unconsumed(again);
            await OutcomeSettler.ClimbAsync(attempt, delivery, again, cause, cancellationToken).ConfigureAwait(false);
        }
    }

    // Where a policy cuts the rungs, every message comes early, each once a second: one line a minute tells it all.
    private void Report(string? retryId, TimeSpan rest)
    {
        var count = Interlocked.Increment(ref _count);
        if (_line.IsTime())
        {
            LogCameEarly(queue, retryId, rest, count);
        }
    }

    [LoggerMessage(LogEvents.CameEarly, LogLevel.Warning, "{Queue}: {RetryId} came {Rest} before it was due and climbs again; early deliveries so far: {Count}. Something cuts the delays short, for example a message-ttl policy that fits the ladder's queues: run 'retryctl topology verify'.")]
    private partial void LogCameEarly(string queue, string? retryId, TimeSpan rest, long count);
}
