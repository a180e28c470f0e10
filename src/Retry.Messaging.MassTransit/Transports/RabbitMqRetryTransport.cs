using MassTransit;
using MassTransit.RabbitMqTransport;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Instances;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Transports;

/// <summary>Outcomes go to the ladder and the parking lot on RabbitMQ, on the connection the delivery came by.</summary>
internal sealed class RabbitMqRetryTransport(
    RabbitMqPoint point,
    Func<RetryRules> rules,
    PointTimes times,
    TopologyKeeper keeper,
    OutcomePublisher publisher,
    InstanceWatch instances,
    PointTelemetry telemetry,
    TimeProvider time) : IRetryTransport
{
    private RetryConnection? _seen;

    /// <summary>The queue that messages return to.</summary>
    public string Destination => point.Destination;

    public RetryPointNames Names => point.Names;

    /// <summary>The header that names a message's tenant; <see langword="null"/> where none was set.</summary>
    public string? TenantHeader => rules().TenantHeader;

    /// <summary>After what time a waiting message comes by; <see langword="null"/> for only when it is due.</summary>
    public TimeSpan? ReleasableWithin => rules().ReleasableWithin;

    public TimeProvider Time => time;

    public RetryDelivery Open(ReceiveContext context, ConsumeContext? message = null)
    {
        if (!context.TryGetPayload<RabbitMqBasicConsumeContext>(out var basic) || !context.TryGetPayload<ConnectionContext>(out var connection))
        {
            throw new InvalidOperationException($"Queue '{point.Names.Work}': found a delivery without RabbitMQ's consume context; wanted one from MassTransit's RabbitMQ transport. Do not copy receive contexts between transports.");
        }

        var state = Republication.ReadState(basic.Properties, basic.Exchange, point.Names.Work).Bounded(rules().MostRetries);
        if (ReferenceEquals(state, RetryState.Fresh))
        {
            var expiresAt = message?.ExpirationTime is { } expiration
                ? new DateTimeOffset(expiration.ToUniversalTime(), TimeSpan.Zero)
                : Republication.ExpiresAt(basic.Properties, time);
            state = state with { Kept = Republication.Keep(basic.Properties, basic.Exchange, basic.RoutingKey ?? string.Empty, expiresAt) };
        }

        var seen = Seen(connection);
        // a first delivery has not been returned, whatever a stranger wrote into its headers
        var returns = context.Redelivered ? Republication.Returns(basic.Properties) : 0;
        return new RabbitMqRetryDelivery(this, basic, context, seen, times.Begin(seen.Version, returns))
        {
            Telemetry = telemetry,
            State = state,
            Deadline = state.Kept.ExpiresAt,
            EndpointIsReady = telemetry.Health.Held.Told,
            CameBack = context.Redelivered,
            Returns = returns,
        };
    }

    public Task<bool?> HasSomebodyDiedAsync(CancellationToken cancellationToken) => instances.HasSomebodyDiedAsync(point.Names.Work, cancellationToken);

    public Task PublishAsync(RetryConnection connection, DeliveryHold hold, Func<OutcomeMessage> message, CancellationToken cancellationToken) =>
        publisher.PublishAsync(
            telemetry,
            connection,
            token => keeper.DeclareAsync(connection.Client, point.PointPlan, token),
            hold,
            message,
            cancellationToken);

    /// <summary>Repeats a step that goes through MassTransit's own transport.</summary>
    public Task HoldAsync(RetryConnection connection, DeliveryHold hold, Func<Task> step, CancellationToken cancellationToken) =>
        publisher.Held.RepeatAsync(telemetry, hold, () => connection.IsOpen, IsOfTheTransport, _ => step(), cancellationToken);

    private RetryConnection Seen(ConnectionContext context)
    {
        var connection = RetryConnection.Of(context.Connection);
        if (!ReferenceEquals(connection, _seen))
        {
            telemetry.IsAt(connection.Cluster, context.VirtualHost());
            _seen = connection;
        }

        return connection;
    }

    private static bool IsOfTheTransport(Exception exception) =>
        exception is ConnectionException or TransportException or RabbitMQ.Client.Exceptions.PublishException or TimeoutException
            || BrokerFailures.IsGone(exception);
}
