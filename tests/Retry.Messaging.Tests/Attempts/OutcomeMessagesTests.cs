using RabbitMQ.Client;
using Retry.Messaging.Decisions;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Attempts;

public sealed class OutcomeMessagesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 29, 3, 0, 0, TimeSpan.Zero);
    private static readonly BasicProperties Original = new() { MessageId = "m", Headers = new Dictionary<string, object?> { ["tenant"] = "a" } };
    private static readonly byte[] Body = [1, 2, 3];

    [Theory]
    [InlineData(0, 90)]
    [InlineData(30, 60)]
    [InlineData(200, 0)]
    public void After_a_hold_a_message_climbs_for_the_rest_of_its_delay(int heldSeconds, int restSeconds)
    {
        var again = new RetryDecision.Again(TimeSpan.FromSeconds(90), Now.AddSeconds(90), RetryState.Fresh with { Id = "1", Attempt = 2 });

        var message = OutcomeMessages.Climbing(Original, Body, again, "orders", OutcomeMessages.RouteOf(again, "orders.release", Now.AddSeconds(heldSeconds)));

        var route = DelayLadder.Route(TimeSpan.FromSeconds(restSeconds), "orders.release");
        (message.Exchange, message.RoutingKey).ShouldBe((route.Exchange, route.RoutingKey));
        message.Body.ToArray().ShouldBe(Body);
        message.Properties.Headers!["tenant"].ShouldBe("a");
        message.Properties.Headers["MT-Redelivery-Count"].ShouldBe(1);
    }

    [Fact]
    public void A_parked_message_has_its_reason_and_what_other_tools_read()
    {
        var park = new RetryDecision.Park(ParkReason.Exhausted, RetryState.Fresh with { Id = "1", Error = "TimeoutException: silent" });

        var message = OutcomeMessages.Parked(Original, Body, park, [new("MT-Reason", "fault")], "orders");

        (message.Exchange, message.RoutingKey).ShouldBe((BrokerNames.ParkingExchange, "orders"));
        message.Properties.Headers!["MT-Reason"].ShouldBe("fault");
        message.Properties.Headers[RetryHeaderNames.Reason].ShouldBe("Exhausted");
        message.Properties.Headers.ShouldNotContainKey(RetryHeaderNames.Tenant);
        message.Body.ToArray().ShouldBe(Body);
    }

    [Fact]
    public void A_parked_message_says_whose_it_is_where_the_point_names_the_header()
    {
        var park = new RetryDecision.Park(ParkReason.Exhausted, RetryState.Fresh with { Id = "1" });

        OutcomeMessages.Parked(Original, Body, park, [], "orders", "tenant").Properties.Headers![RetryHeaderNames.Tenant].ShouldBe("a");
        OutcomeMessages.Parked(Original, Body, park, [], "orders", "region").Properties.Headers!.ShouldNotContainKey(RetryHeaderNames.Tenant);
    }
}
