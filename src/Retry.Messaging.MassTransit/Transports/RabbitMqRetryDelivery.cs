using MassTransit;
using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;
using Retry.Messaging.Decisions;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.MassTransit.Transports;

/// <summary>A delivery from RabbitMQ: its bytes and properties go on as they came.</summary>
internal sealed class RabbitMqRetryDelivery(
    RabbitMqRetryTransport transport,
    RabbitMqBasicConsumeContext basic,
    ReceiveContext receive,
    RetryConnection connection,
    DeliveryHold hold)
    : RetryDelivery, RabbitMqBasicConsumeContext
{
    private IReadOnlyBasicProperties? _properties;
    private Dictionary<string, string>? _restored;

    public override object? Payload => State.Kept.Exchange is null ? null : this;

    public override ulong Tag => basic.DeliveryTag;

    public override bool IsConnected => connection.IsOpen;

    public override DateTimeOffset? LeftLadderAt => BrokerDeath.LeftLadderAt(basic.Properties.Headers);

    // what a consumer sees of a message that came by the ladder is where it came from the first time
    public string Exchange => State.Kept.Exchange ?? basic.Exchange;

    public string RoutingKey => State.Kept.RoutingKey ?? basic.RoutingKey ?? string.Empty;

    public string ConsumerTag => basic.ConsumerTag;

    public ulong DeliveryTag => basic.DeliveryTag;

    public IReadOnlyBasicProperties Properties => _properties ??= Republication.Restored(basic.Properties, State.Kept);

    public override IReadOnlyDictionary<string, string>? Restored =>
        State.Kept.Exchange is null ? null : _restored ??= new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        [RabbitMqHeaders.Exchange] = Exchange,
        [RabbitMqHeaders.RoutingKey] = RoutingKey,
    };

    public override Task<bool?> HasSomebodyDiedAsync(CancellationToken cancellationToken) => transport.HasSomebodyDiedAsync(cancellationToken);

    public override Task HoldAsync(Func<Task> step, CancellationToken cancellationToken) =>
        transport.HoldAsync(connection, hold, step, cancellationToken);

    protected override async Task SendUpAsync(RetryDecision.Again again, CancellationToken cancellationToken)
    {
        var (sent, delay) = (default(DateTimeOffset), TimeSpan.Zero);
        await transport.PublishAsync(connection, hold, Climbing, cancellationToken).ConfigureAwait(false);
        Telemetry.Counts.Climbs.Add(delay, sent);

        OutcomeMessage Climbing()
        {
            sent = transport.Time.GetUtcNow();
            var (route, sentOn) = OutcomeMessages.RouteOf(again, transport.Destination, sent, transport.ReleasableWithin);
            delay = route.Delay;
            return OutcomeMessages.Climbing(basic.Properties, receive.Body.GetBytes(), sentOn, transport.Names.Work, route);
        }
    }

    protected override Task SendToParkingLotAsync(RetryDecision.Park park, FaultDetails fault, CancellationToken cancellationToken)
    {
        var at = transport.Time.GetUtcNow();
        return transport.PublishAsync(
            connection,
            hold,
            () => OutcomeMessages.Parked(
                basic.Properties,
                receive.Body.GetBytes(),
                park,
                fault.Headers(at, State.Attempt - 1),
                transport.Names.Work,
                transport.TenantHeader),
            cancellationToken);
    }

    // one id, also when another filter opens the delivery a second time
    protected override string FirstId() => receive.GetOrAddPayload(() => new FirstChainId(NewChainId())).Text;

    private string NewChainId()
    {
        var id = ChainId.Of(transport.Names.Work, Exchange, RoutingKey, basic.Properties, receive.Body.GetBytes());
        return connection.GivenIds.Give(id) || receive.Redelivered ? id : ChainId.Another(basic.Properties.MessageId);
    }

    private sealed record FirstChainId(string Text);
}
