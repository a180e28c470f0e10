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

        var (way, sent) = OutcomeMessages.RouteOf(again, "orders.release", Now.AddSeconds(heldSeconds), null);
        var message = OutcomeMessages.Climbing(Original, Body, sent, "orders", way);

        var route = DelayLadder.Route(TimeSpan.FromSeconds(restSeconds), "orders.release");
        (message.Exchange, message.RoutingKey).ShouldBe((route.Exchange, route.RoutingKey));
        message.Body.ToArray().ShouldBe(Body);
        message.Properties.Headers!["tenant"].ShouldBe("a");
        message.Properties.Headers["MT-Redelivery-Count"].ShouldBe(1);
    }

    [Theory]
    [InlineData(0, 0, 30)]
    [InlineData(60, 0, null)]
    [InlineData(70, 0, null)]
    [InlineData(0, 1, null)]
    public void A_message_that_waits_longer_comes_by_with_its_due_time_as_it_is_unless_it_is_a_suspect(int heldSeconds, int crashes, int? comesByIn)
    {
        var state = RetryState.Fresh with { Id = "1", Attempt = 2, Crashes = crashes, DueAt = Now.AddSeconds(90), ComesByAt = Now };
        var again = new RetryDecision.Again(TimeSpan.FromSeconds(90), Now.AddSeconds(90), state);
        var now = Now.AddSeconds(heldSeconds);

        var (route, sent) = OutcomeMessages.RouteOf(again, "orders.release", now, TimeSpan.FromSeconds(30));

        route.Delay.ShouldBe(TimeSpan.FromSeconds(comesByIn ?? 90 - heldSeconds));
        sent.State.ShouldBe(state with { ComesByAt = comesByIn is { } seconds ? now.AddSeconds(seconds) : null });
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
