using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Publishes a message that is due to where it goes, and tells what became of it.</summary>
/// <param name="connection">The dispatcher's connection.</param>
/// <param name="user">Its user.</param>
/// <param name="options">What a dispatcher has to know.</param>
/// <param name="isBlocked">Whether the broker takes no publishes at the moment, from anybody.</param>
/// <param name="time">The clock.</param>
internal sealed class DestinationPublisher(
    IConnection connection,
    string user,
    ScheduleDispatcherOptions options,
    Func<bool> isBlocked,
    TimeProvider time) : IAsyncDisposable
{
    private const int MostLanes = 200;
    private const int MostAlone = 16;
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);

    private readonly ConfirmedPublisher[] _lanes = [.. Enumerable.Range(0, LanesOf(connection)).Select(_ => NewLane(connection, time))];
    private readonly Destinations _destinations = new(options.Again, LanesOf(connection), time);
    private readonly KnownExchanges _exchanges = new(connection, time);
    private readonly SemaphoreSlim _alone = new(MostAlone);

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

        while (isBlocked())
        {
            await Task.Delay(BetweenTries, time, cancellationToken).ConfigureAwait(false);
        }

        var place = await _destinations.EnterAsync(exchange, routingKey, cancellationToken).ConfigureAwait(false);
        if (place.Rest is { } rest)
        {
            return new HandoverAnswer.Again($"exchange '{exchange}' takes no messages for the routing key '{routingKey}' at the moment", rest, Sent: null);
        }

        HandoverAnswer? answer = null;
        try
        {
            return answer = await SendAsync(_lanes[place.Lane], delivery, state, cancellationToken).ConfigureAwait(false);
        }
        catch (PublishRefusedException)
        {
            // the channel closed, and the broker does not say which of those on it is to blame
        }
        finally
        {
            if (_destinations.Leave(place, (answer as HandoverAnswer.Again)?.Sent ?? DestinationAnswer.Settled))
            {
                _ = RenewAsync(place.Lane);
            }
        }

        return await SendAloneAsync(delivery, state with { Repeated = state.Repeated + 1 }, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _destinations.Close();
        foreach (var lane in _lanes)
        {
            await lane.DisposeAsync().ConfigureAwait(false);
        }

        _alone.Dispose();
    }

    // no bound of its own: what a silent destination never confirms would take it up
    private static ConfirmedPublisher NewLane(IConnection connection, TimeProvider time) => new(connection, int.MaxValue, time);

    private static int LanesOf(IConnection connection) => connection.ChannelMax == 0 ? MostLanes : Math.Clamp(connection.ChannelMax / 8, 1, MostLanes);

    private async Task<HandoverAnswer> SendAsync(ConfirmedPublisher publisher, ScheduledDelivery delivery, ScheduleState state, CancellationToken cancellationToken)
    {
        var exchange = state.Kept.Exchange!;
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
            return new HandoverAnswer.Again($"exchange '{exchange}' has not confirmed within {options.Patience.TotalSeconds:0} s", options.Again, DestinationAnswer.Silent);
        }
        catch (PublishRefusedException refused) when (refused.ReplyCode == Constants.NoRoute)
        {
            return new HandoverAnswer.Lost($"Exchange '{exchange}' leads to no queue for the routing key '{state.Kept.RoutingKey}'.");
        }
        catch (PublishRefusedException refused) when (refused.ReplyCode == 0)
        {
            return new HandoverAnswer.Again(refused.Message, options.Again, DestinationAnswer.Refused);
        }
        catch (PublishRefusedException refused) when (refused.Message.Contains($"exchange '{exchange}'", StringComparison.Ordinal))
        {
            _exchanges.Forget(exchange);
            return new HandoverAnswer.Lost(refused.Message);
        }
    }

    // a message that closes a channel which it has to itself is to blame for it
    private async Task<HandoverAnswer> SendAloneAsync(ScheduledDelivery delivery, ScheduleState state, CancellationToken cancellationToken)
    {
        await _alone.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var publisher = new ConfirmedPublisher(connection, window: 1, time) { Reopens = false };
            await using var ends = publisher.ConfigureAwait(false);
            return await SendAsync(publisher, delivery, state, cancellationToken).ConfigureAwait(false);
        }
        catch (PublishRefusedException refused)
        {
            return new HandoverAnswer.Lost(refused.Message);
        }
        finally
        {
            _alone.Release();
        }
    }

    // the broker may be busy with the silent one's channel for a minute, and the lane is nobody's until the client has closed it or given up
    private async Task RenewAsync(int lane)
    {
        var silent = _lanes[lane];
        _lanes[lane] = NewLane(connection, time);
        try
        {
            await silent.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception))
        {
            // it was gone already, or is not answered: the broker ends it when it comes to it
        }

        _destinations.Free(lane);
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
            catch (TimeoutException) when (!publish.IsCompleted && isBlocked())
            {
                // in an alarm everybody is silent, and a second copy would be no help
            }
        }
    }
}
