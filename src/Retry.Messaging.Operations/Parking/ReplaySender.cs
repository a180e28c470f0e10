using RabbitMQ.Client;
using Retry.Messaging.Ladder;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Lots;
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
    private readonly PlanCopies _copies = new(connection, plan);

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

    public ValueTask DisposeAsync() => _copies.DisposeAsync();

    private async Task<bool> SendAsync(LotDelivery delivery, string exchange, string routingKey, string queue, PlanTerms terms)
    {
        var message = delivery.Message!;
        using var span = message.StartReplay(plan);
        var properties = ReplayedCopy.Of(message, delivery.Properties!, plan, queue);
        ReplayedCopy.Change(properties, terms);
        RetryTracing.Propagate(properties.Headers!);
        try
        {
            await _copies.SendAsync(exchange, routingKey, properties, message, queue).ConfigureAwait(false);
            return true;
        }
        catch (ParkingException exception)
        {
            span.Fail(exception);
            throw;
        }
    }
}
