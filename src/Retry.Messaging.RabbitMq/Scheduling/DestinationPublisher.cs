using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Publishes a message that is due to where it goes, and tells what became of it.</summary>
internal sealed class DestinationPublisher(IConnection connection, string user, ScheduleDispatcherOptions options, TimeProvider time) : IAsyncDisposable
{
    private const int MostClosures = 3;
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);

    // no bound of its own: what a silent destination never confirms would take it up, one by one
    private readonly IReadOnlyList<ConfirmedPublisher> _publishers =
        [.. Enumerable.Range(0, Destinations.Channels).Select(_ => new ConfirmedPublisher(connection, int.MaxValue, time))];

    private readonly KnownExchanges _exchanges = new(connection, time);
    private readonly Destinations _destinations = new(options.Again, time);

    /// <summary>Publishes a delivery.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="state">What it carries.</param>
    /// <param name="cancellationToken">Cancelled when the connection has ended.</param>
    public async Task<HandoverAnswer> PublishAsync(ScheduledDelivery delivery, ScheduleState state, CancellationToken cancellationToken)
    {
        var (exchange, routingKey) = (state.Kept.Exchange!, state.Kept.RoutingKey!);
        if (options.Exchanges is { } allowed && !allowed.Contains(exchange))
        {
            return new HandoverAnswer.Lost($"Exchange '{exchange}' is none of those that the dispatcher may publish to.");
        }

        while (_publishers[0].BlockedReason is not null)
        {
            await Task.Delay(BetweenTries, time, cancellationToken).ConfigureAwait(false);
        }

        var place = await _destinations.EnterAsync(exchange, routingKey, cancellationToken).ConfigureAwait(false);
        if (place.Rest is { } rest)
        {
            return new HandoverAnswer.Again($"exchange '{exchange}' takes no messages for the routing key '{routingKey}' at the moment", rest, WasSent: false);
        }

        HandoverAnswer? answer = null;
        try
        {
            return answer = await SendAsync(_publishers[place.Channel], delivery, state, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _destinations.Leave(exchange, routingKey, place.Channel, confirmed: answer is not HandoverAnswer.Again);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var publisher in _publishers)
        {
            await publisher.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<HandoverAnswer> SendAsync(ConfirmedPublisher publisher, ScheduledDelivery delivery, ScheduleState state, CancellationToken cancellationToken)
    {
        var exchange = state.Kept.Exchange!;
        for (var closures = 1; ; closures++)
        {
            if (!await _exchanges.HasAsync(exchange, cancellationToken).ConfigureAwait(false))
            {
                return new HandoverAnswer.Lost($"Exchange '{exchange}' does not exist.");
            }

            try
            {
                var message = ScheduledMessages.Due(delivery, state, user);
                await ConfirmAsync(publisher.PublishAsync(message.Exchange, message.RoutingKey, message.Properties, message.Body, cancellationToken)).ConfigureAwait(false);
                return HandoverAnswer.Done;
            }
            catch (TimeoutException)
            {
                return new HandoverAnswer.Again($"exchange '{exchange}' has not confirmed within {options.Patience.TotalSeconds:0} s", options.Again, WasSent: true);
            }
            catch (PublishRefusedException refused) when (refused.ReplyCode == Constants.NoRoute)
            {
                return new HandoverAnswer.Lost($"Exchange '{exchange}' leads to no queue for the routing key '{state.Kept.RoutingKey}'.");
            }
            catch (PublishRefusedException refused) when (refused.ReplyCode == 0)
            {
                return new HandoverAnswer.Again(refused.Message, options.Again, WasSent: true);
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
            catch (TimeoutException) when (!publish.IsCompleted && _publishers[0].BlockedReason is not null)
            {
                // in an alarm everybody is silent, and a second copy would be no help
            }
        }
    }
}
