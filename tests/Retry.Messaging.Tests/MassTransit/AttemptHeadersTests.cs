using System.Globalization;
using MassTransit;
using MassTransit.RabbitMqTransport;
using MassTransit.Serialization;
using Retry.Messaging.Decisions;
using Retry.Messaging.MassTransit.Filters;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

public class AttemptHeadersTests
{
    private readonly DictionarySendHeaders _original = new();

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(9, 8)]
    [InlineData(int.MaxValue, int.MaxValue - 1)]
    public void The_redelivery_count_is_that_of_the_attempt_whatever_the_envelope_says(int attempt, int redeliveries)
    {
        _original.Set(MessageHeaders.RedeliveryCount, 77);
        _original.Set("mine", "yes");
        var headers = new AttemptHeaders(_original, new Delivery { State = new RetryState { Attempt = attempt } });

        headers.Get<int>(MessageHeaders.RedeliveryCount).ShouldBe(redeliveries > 0 ? redeliveries : null);
        headers.Get<long>("mt-redelivery-count").ShouldBe(redeliveries > 0 ? redeliveries : null);
        headers.Get(MessageHeaders.RedeliveryCount, "none").ShouldBe(redeliveries > 0 ? redeliveries.ToString(CultureInfo.InvariantCulture) : "none");
        headers.TryGetHeader(MessageHeaders.RedeliveryCount, out _).ShouldBe(redeliveries > 0);
        headers.GetAll().Count(header => header.Key == MessageHeaders.RedeliveryCount).ShouldBe(redeliveries > 0 ? 1 : 0);
        headers.Get<string>("mine").ShouldBe("yes");
        headers.Select(header => header.Key).ShouldContain("mine");
    }

    [Theory]
    [InlineData("shop", "order.placed")]
    [InlineData("", "orders")]
    [InlineData("shop", "")]
    public void Exchange_and_routing_key_are_those_of_the_first_delivery(string exchange, string routingKey)
    {
        _original.Set(RabbitMqHeaders.Exchange, "retry.v1.return");
        _original.Set(RabbitMqHeaders.RoutingKey, "0.0.0.0.0.0.0.2.orders");
        var headers = new AttemptHeaders(_original, CameByTheLadder(exchange, routingKey));

        foreach (var (name, value) in new[] { (RabbitMqHeaders.Exchange, exchange), (RabbitMqHeaders.RoutingKey, routingKey) })
        {
            headers.Get<string>(name).ShouldBe(value);
            headers.TryGetHeader(name.ToUpperInvariant(), out var found).ShouldBeTrue();
            found.ShouldBe(value);
            headers.GetAll().Where(header => header.Key == name).Select(header => header.Value).ShouldBe(value.Length > 0 ? [value] : []);
        }
    }

    [Fact]
    public void A_header_that_the_envelope_does_not_have_is_not_added_to_it()
    {
        var headers = new AttemptHeaders(_original, CameByTheLadder("shop", "order.placed"));

        headers.TryGetHeader(RabbitMqHeaders.RoutingKey, out _).ShouldBeFalse();
        headers.Get<string>(RabbitMqHeaders.RoutingKey).ShouldBeNull();
        headers.GetAll().ShouldBeEmpty();
    }

    private static Delivery CameByTheLadder(string exchange, string routingKey) => new()
    {
        State = RetryState.Fresh,
        WasSent = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { [RabbitMqHeaders.Exchange] = exchange, [RabbitMqHeaders.RoutingKey] = routingKey },
    };

    private sealed class Delivery : RetryDelivery
    {
        [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
        public Delivery()
        {
            Telemetry = null!;
            State = RetryState.Fresh;
        }

        public IReadOnlyDictionary<string, string>? WasSent { get; init; }

        public override IReadOnlyDictionary<string, string>? Restored => WasSent;

        public override Task HoldAsync(Func<Task> step, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override string FirstId() => throw new NotSupportedException();

        protected override Task SendUpAsync(RetryDecision.Again again, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override Task SendToParkingLotAsync(RetryDecision.Park park, FaultDetails fault, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
