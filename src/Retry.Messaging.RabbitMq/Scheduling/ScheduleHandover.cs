using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Hands one scheduled message over: to where it goes, to the ladder or to the lost queue. When it returns, the broker has it there.</summary>
internal sealed class ScheduleHandover(
    IConnection connection,
    string user,
    ScheduleDispatcherOptions options,
    DispatchReporter reporter,
    TimeProvider time,
    Random random) : IAsyncDisposable
{
    private const int MostClosures = 3;
    private static readonly TimeSpan RestWaitedForHere = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);

    // on channels apart: a destination that closes one does not touch what is on its way back to the ladder
    private readonly ConfirmedPublisher _outward = new(connection, time: time);
    private readonly ConfirmedPublisher _back = new(connection, time: time);
    private readonly KnownExchanges _exchanges = new(connection, time);

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
        if (await MustWaitAsync(delivery, state, cancellationToken).ConfigureAwait(false))
        {
            await BackAsync(() => ScheduledMessages.Climbing(delivery, state, time.GetUtcNow()), cancellationToken).ConfigureAwait(false);
            return;
        }

        switch (await DispatchAsync(delivery, state, cancellationToken).ConfigureAwait(false))
        {
            default:
                reporter.Delivered(state.DueAt);
                break;

            case HandoverAnswer.Lost lost:
                await LoseAsync(delivery, state, lost.Cause, cancellationToken).ConfigureAwait(false);
                break;

            case HandoverAnswer.Again again:
                reporter.Waits(again.Cause);
                var later = state with { DueAt = time.GetUtcNow() + random.Around(options.Again), Repeated = state.Repeated + 1 };
                await BackAsync(() => ScheduledMessages.Climbing(delivery, later, time.GetUtcNow()), cancellationToken).ConfigureAwait(false);
                break;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _outward.DisposeAsync().ConfigureAwait(false);
        await _back.DisposeAsync().ConfigureAwait(false);
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

    private async Task<HandoverAnswer> DispatchAsync(ScheduledDelivery delivery, ScheduleState state, CancellationToken cancellationToken)
    {
        var exchange = state.Kept.Exchange!;
        for (var closures = 1; ; closures++)
        {
            while (_outward.BlockedReason is not null)
            {
                await Task.Delay(BetweenTries, time, cancellationToken).ConfigureAwait(false);
            }

            if (!await _exchanges.HasAsync(exchange, cancellationToken).ConfigureAwait(false))
            {
                return new HandoverAnswer.Lost($"Exchange '{exchange}' does not exist.");
            }

            try
            {
                var message = ScheduledMessages.Due(delivery, state, user);
                await ConfirmAsync(_outward.PublishAsync(message.Exchange, message.RoutingKey, message.Properties, message.Body, cancellationToken)).ConfigureAwait(false);
                return HandoverAnswer.Done;
            }
            catch (TimeoutException)
            {
                return new HandoverAnswer.Again($"exchange '{exchange}' has not confirmed within {options.Patience.TotalSeconds:0} s");
            }
            catch (PublishRefusedException refused) when (refused.ReplyCode == Constants.NoRoute)
            {
                return new HandoverAnswer.Lost($"Exchange '{exchange}' leads to no queue for the routing key '{state.Kept.RoutingKey}'.");
            }
            catch (PublishRefusedException refused) when (refused.ReplyCode == 0)
            {
                return new HandoverAnswer.Again(refused.Message);
            }
            catch (PublishRefusedException refused)
            {
                // The channel closed for all that was on it. Who it was for is in the broker's words; the others are published once more.
                _exchanges.Forget(exchange);
                if (closures == MostClosures || refused.Message.Contains($"exchange '{exchange}'", StringComparison.Ordinal))
                {
                    return new HandoverAnswer.Lost(refused.Message);
                }

                state = state with { Repeated = state.Repeated + 1 };
            }
        }
    }

    private async Task ConfirmAsync(Task publish)
    {
        while (true)
        {
            try
            {
                await publish.WaitAsync(options.Patience, time, CancellationToken.None).ConfigureAwait(false);
                return;
            }
            catch (TimeoutException) when (!publish.IsCompleted && _outward.BlockedReason is not null)
            {
                // in an alarm everybody is silent, and a second copy would be no help
            }
        }
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
                HeaderFrame.Fit(properties, connection.FrameMax);
                await _back.PublishAsync(exchange, routingKey, properties, body, cancellationToken).ConfigureAwait(false);
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
