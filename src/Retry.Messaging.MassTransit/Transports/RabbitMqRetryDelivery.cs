using MassTransit;
using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;
using Retry.Messaging.Decisions;
using Retry.Messaging.State;
using Retry.Messaging.Ladder;
using Retry.Messaging.MassTransit.Faults;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Parking;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.MassTransit.Transports;

/// <summary>A delivery from RabbitMQ: its bytes and properties go on as they came.</summary>
internal sealed class RabbitMqRetryDelivery(RabbitMqRetryTransport transport, RabbitMqBasicConsumeContext basic, ReceiveContext receive, RetryConnection connection, DeliveryHold hold)
    : RetryDelivery, RabbitMqBasicConsumeContext
{
    private IReadOnlyBasicProperties? _properties;
    private Dictionary<string, string>? _restored;

    public override object? Payload => State.Kept.Exchange is null ? null : this;

    public override bool IsConnected => connection.IsOpen;

    public override DateTimeOffset? LeftLadderAt => BrokerDeath.LeftLadderAt(basic.Properties.Headers);

    // what a consumer sees of a message that came by the ladder is where it came from the first time
    public string Exchange => State.Kept.Exchange ?? basic.Exchange;

    public string RoutingKey => State.Kept.RoutingKey ?? basic.RoutingKey ?? string.Empty;

    public string ConsumerTag => basic.ConsumerTag;

    public ulong DeliveryTag => basic.DeliveryTag;

    public IReadOnlyBasicProperties Properties => _properties ??= Republication.Restored(basic.Properties, State.Kept);

    public override IReadOnlyDictionary<string, string>? Restored => State.Kept.Exchange is null ? null : _restored ??= new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        [RabbitMqHeaders.Exchange] = Exchange,
        [RabbitMqHeaders.RoutingKey] = RoutingKey,
    };

    public override Task<bool?> HasSomebodyDiedAsync(CancellationToken cancellationToken) => transport.HasSomebodyDiedAsync(cancellationToken);

    public override Task HoldAsync(Func<Task> step, CancellationToken cancellationToken) =>
        transport.HoldAsync(connection, hold, step, cancellationToken);

    protected override Task SendUpAsync(RetryDecision.Again again, CancellationToken cancellationToken) =>
        transport.PublishAsync(connection, hold, () => Climb(again.State, again.Delay, again.DueAt), cancellationToken);

    protected override Task SendToParkingLotAsync(RetryDecision.Park park, FaultDetails fault, CancellationToken cancellationToken)
    {
        var at = transport.Time.GetUtcNow();
        return transport.PublishAsync(connection, hold, () => Park(park, fault, at), cancellationToken);
    }

    // one id, whoever opens the delivery a second time
    protected override string FirstId() => receive.GetOrAddPayload(() => new FirstChainId(NewChainId())).Text;

    private string NewChainId()
    {
        var id = ChainId.Of(transport.Names.Work, Exchange, RoutingKey, basic.Properties, receive.Body.GetBytes());
        return connection.GivenIds.Give(id) || receive.Redelivered ? id : ChainId.Another(basic.Properties.MessageId);
    }

    private OutcomeMessage Climb(RetryState state, TimeSpan delay, DateTimeOffset dueAt)
    {
        // after a hold, what is left of the delay; the policy's delay counts from the failure
        var left = dueAt - transport.Time.GetUtcNow();
        var route = DelayLadder.Route(left < delay - DelayLadder.Step ? left : delay, transport.Destination);
        var properties = Republication.Climbing(basic.Properties, state, transport.Names.Work);
        properties.Headers![MessageHeaders.RedeliveryCount] = state.Attempt - 1;
        RetryTracing.Propagate(properties.Headers);
        RetryTracing.TagEntry(route);
        return new OutcomeMessage(route.Exchange, route.RoutingKey, properties, receive.Body.GetBytes());
    }

    private OutcomeMessage Park(RetryDecision.Park park, FaultDetails fault, DateTimeOffset at)
    {
        var properties = Republication.With(basic.Properties, park.State with { Reason = park.Reason }, transport.Names.Work);
        foreach (var (name, value) in fault.Headers(at, State.Attempt - 1))
        {
            properties.Headers![name] = value;
        }

        RetryTracing.Propagate(properties.Headers!);

        return new OutcomeMessage(BrokerNames.ParkingExchange, transport.Names.Work, properties, receive.Body.GetBytes());
    }

    private sealed record FirstChainId(string Text);
}
