using Retry.Messaging.RabbitMq.Cancelling;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Hands one scheduled message over: to where it goes, to the ladder or to the lost queue. When it returns, the broker has it there.</summary>
/// <param name="outward">Publishes to where messages go. It is this one's.</param>
/// <param name="back">Publishes to the ladder and the lost queue, on a channel apart that no destination can close. It is this one's.</param>
/// <param name="frameMax">The largest frame of the connection.</param>
/// <param name="cancelled">What has been cancelled.</param>
/// <param name="reporter">Is told what does not go well.</param>
/// <param name="cancels">Is told what was cancelled.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Spreads what climbs again.</param>
internal sealed class ScheduleHandover(
    DestinationPublisher outward,
    ConfirmedPublisher back,
    uint frameMax,
    CancellationLog cancelled,
    DispatchReporter reporter,
    CancelReporter cancels,
    TimeProvider time,
    Random random) : IAsyncDisposable
{
    private static readonly TimeSpan RestWaitedForHere = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);

    /// <summary>Hands a delivery over.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="cancellationToken">Cancelled when the connection has ended: then the broker still has the message.</param>
    public async Task HandOverAsync(ScheduledDelivery delivery, CancellationToken cancellationToken)
    {
        if (ScheduleHeader.Read(delivery.Properties.Headers) is not { } state)
        {
            await LoseAsync(delivery, null, $"Found no header '{RetryHeaderNames.Schedule}' that makes sense, so nobody knows where the message goes.", cancellationToken).ConfigureAwait(false);
            return;
        }

        state = delivery.Redelivered ? state with { Repeated = state.Repeated + 1 } : state;
        if (EndsHere(state))
        {
            return;
        }

        if (await MustWaitAsync(delivery, state, cancellationToken).ConfigureAwait(false))
        {
            await BackAsync(() => ScheduledMessages.Climbing(delivery, state, time.GetUtcNow()), cancellationToken).ConfigureAwait(false);
            return;
        }

        if (state.Token is not null)
        {
            // after the wait: what was cancelled a second before it is due is known now
            await cancelled.ProveAsync(cancellationToken).ConfigureAwait(false);
            reporter.KnowsCancelled();
            if (EndsHere(state))
            {
                return;
            }
        }

        switch (await outward.PublishAsync(delivery, state, cancellationToken).ConfigureAwait(false))
        {
            default:
                reporter.Delivered(state.DueAt);
                break;

            case HandoverAnswer.Lost lost:
                await LoseAsync(delivery, state, lost.Cause, cancellationToken).ConfigureAwait(false);
                break;

            case HandoverAnswer.Again again:
                reporter.Waits(again.Cause);
                // spread out, since thousands that came at once should not come back at once; in whole seconds, which are mostly one hop
                var rest = TimeSpan.FromSeconds(Math.Ceiling(again.Rest.TotalSeconds * (1 + random.NextDouble())));
                var later = state with { DueAt = time.GetUtcNow() + rest, Repeated = state.Repeated + (again.Sent is null ? 0 : 1) };
                await BackAsync(() => ScheduledMessages.Climbing(delivery, later, time.GetUtcNow()), cancellationToken).ConfigureAwait(false);
                break;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await outward.DisposeAsync().ConfigureAwait(false);
        await back.DisposeAsync().ConfigureAwait(false);
    }

    private bool EndsHere(ScheduleState state)
    {
        if (state.Token is not { } token || !cancelled.Has(token, state.AskedAt))
        {
            return false;
        }

        cancels.Dropped(token);
        return true;
    }

    // A message that left the ladder later than it is now: this clock is behind, and the broker's tells what is early.
    private async Task<bool> MustWaitAsync(ScheduledDelivery delivery, ScheduleState state, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var behind = BrokerDeath.LeftLadderAt(delivery.Properties.Headers) is { } left && left > now ? left - now : TimeSpan.Zero;
        var rest = state.DueAt - (now + behind);
        if (state.LeavesAt is { } planned && planned - (now + behind) <= RestWaitedForHere)
        {
            return rest > TimeSpan.Zero;
        }

        var isEarly = rest >= RestWaitedForHere;
        while (rest > TimeSpan.Zero && rest < RestWaitedForHere)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(rest.TotalMilliseconds)), time, cancellationToken).ConfigureAwait(false);
            rest = state.DueAt - (time.GetUtcNow() + behind);
        }

        if (isEarly)
        {
            // never hot: where a policy cuts the rungs to nothing, it would come back at once, thousands of times a second
            reporter.CameEarly(rest);
            await Task.Delay(BetweenTries, time, cancellationToken).ConfigureAwait(false);
            rest = state.DueAt - (time.GetUtcNow() + behind);
        }

        return rest > TimeSpan.Zero;
    }

    private async Task LoseAsync(ScheduledDelivery delivery, ScheduleState? state, string cause, CancellationToken cancellationToken)
    {
        reporter.Lost(cause);
        await BackAsync(() => ScheduledMessages.Lost(delivery, state, cause, time.GetUtcNow()), cancellationToken).ConfigureAwait(false);
    }

    // until it is confirmed: the delivery is held meanwhile, and the broker keeps it
    private async Task BackAsync(Func<OutcomeMessage> message, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var (exchange, routingKey, properties, body) = message();
                // a frame that is too large would close the connection, again and again, for all that is scheduled
                HeaderFrame.Fit(properties, frameMax);
                await back.PublishAsync(exchange, routingKey, properties, body, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (PublishRefusedException refused)
            {
                reporter.Waits(refused.Message);
                await Task.Delay(BetweenTries, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
