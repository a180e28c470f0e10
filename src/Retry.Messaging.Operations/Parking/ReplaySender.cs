using RabbitMQ.Client;
using Retry.Messaging.Ladder;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Operations.Parking;

/// <summary>Sends copies of parked messages to where they go.</summary>
/// <param name="connection">The connection.</param>
/// <param name="names">The point whose messages they are.</param>
/// <param name="plan">The plan's id, which each copy carries.</param>
/// <param name="found">Told where the messages go.</param>
/// <param name="time">The clock.</param>
internal sealed class ReplaySender(IConnection connection, RetryPointNames names, string plan, Action<ReplayDestination>? found, TimeProvider time)
    : IAsyncDisposable
{
    // on one channel: a copy that is sent over another connection than the lock's would come from a plan that was given up
    private readonly ConfirmedPublisher _publisher = new(connection) { Reopens = false };

    /// <summary>Finds where the messages go, and gives what sends one.</summary>
    /// <remarks>
    /// The ladder's alternate exchange swallows what has no destination and the broker confirms it, so what is missing must be found
    /// before the first message is published.
    /// </remarks>
    /// <exception cref="ParkingException">There is no such queue; nothing was moved.</exception>
    public async Task<Func<LotDelivery, Task<bool>>> PrepareAsync(PlanTerms terms, CancellationToken cancellationToken)
    {
        var way = new WayBack(connection, time);
        var to = terms.To is { } other ? RetryPointNames.For(other) : names;
        var destination = await way.FindAsync(to, cancellationToken).ConfigureAwait(false)
            ?? throw new ParkingException($"Found no queue '{to.Work}' to replay to; nothing was moved. Start the service that owns it, or check the name and the virtual host.") { IsUnknownQueue = true };
        found?.Invoke(destination);
        var route = DelayLadder.Route(TimeSpan.Zero, destination.Queue);
        return delivery => SendAsync(delivery, route.Exchange, route.RoutingKey, to.Work, terms);
    }

    public ValueTask DisposeAsync() => _publisher.DisposeAsync();

    private async Task<bool> SendAsync(LotDelivery delivery, string exchange, string routingKey, string queue, PlanTerms terms)
    {
        var message = delivery.Message!;
        using var span = message.StartReplay(plan);
        var properties = ReplayedCopy.Of(message, delivery.Properties!, plan, queue);
        RetryTracing.Propagate(properties.Headers!);
        HeaderFrame.Fit(properties, connection.FrameMax);
        try
        {
            // not cancellable: once sent, only the confirm tells whether the parked one may go
            await _publisher.PublishAsync(exchange, routingKey, properties, message.Body!.Value, CancellationToken.None).ConfigureAwait(false);
            return true;
        }
        catch (PublishRefusedException exception)
        {
            span.Fail(exception);
            throw new ParkingException(
                $"The replay to '{queue}' stopped: {exception.Message} Messages that were not moved are still parked. When the cause is gone, 'retryctl plans resume {plan}' goes on, and 'retryctl plans cancel {plan}' gives the rest up.",
                exception);
        }
    }
}
