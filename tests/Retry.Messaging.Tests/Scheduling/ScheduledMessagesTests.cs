using RabbitMQ.Client;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Scheduling;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Scheduling;

public class ScheduledMessagesTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Theory]
    [InlineData(0, "retry.v1.return", "0.0.0.0.0.0.0.0.retry.v1.schedule")]
    [InlineData(90, "retry.v1.m", "0.0.0.0.1.3.0.0.retry.v1.schedule")]
    [InlineData(-5, "retry.v1.return", "0.0.0.0.0.0.0.0.retry.v1.schedule")]
    public void A_climb_lasts_until_the_message_is_due(int seconds, string exchange, string key)
    {
        var climb = ScheduleClimb.Begin(State(Now.AddSeconds(seconds)), Now);

        (climb.Route.Exchange, climb.Route.RoutingKey).ShouldBe((exchange, key));
        Read(climb.Header).LeavesAt.ShouldBeNull();
    }

    [Fact]
    public void Years_are_climbed_ladder_by_ladder()
    {
        var due = Now.AddDays(3 * 365);
        var (now, climbs) = (Now, 0);
        while (now < due)
        {
            var climb = ScheduleClimb.Begin(State(due), now);
            var state = Read(climb.Header);
            state.DueAt.ShouldBe(due);
            now += climb.Route.Delay;
            state.LeavesAt.ShouldBe(now < due ? now : null);
            climbs++;
        }

        now.ShouldBe(due);
        climbs.ShouldBe((int)Math.Ceiling((due - Now) / DelayLadder.MaxDelay));
    }

    [Fact]
    public void What_climbs_has_nothing_that_would_harm_it_and_keeps_the_rest()
    {
        var state = State(Now.AddSeconds(30)) with { Kept = new KeptProperties { Exchange = "shop", Priority = 7, Expiration = "1000" } };
        var properties = new BasicProperties
        {
            MessageId = "m-1",
            Priority = 9,
            Expiration = "5",
            Headers = new Dictionary<string, object?> { ["x-death"] = "…", ["shop"] = "Köln", [RetryHeaderNames.Schedule] = ScheduleHeader.Write(state) },
        };

        var message = ScheduledMessages.Climbing(new ScheduledDelivery(1, false, properties, default), state, Now);

        (message.Exchange, message.RoutingKey).ShouldBe(("retry.v1.10s", "0.0.0.0.0.3.0.0.retry.v1.schedule"));
        (message.Properties.MessageId, message.Properties.IsPriorityPresent(), message.Properties.IsExpirationPresent()).ShouldBe(("m-1", false, false));
        message.Properties.Headers!.Keys.ShouldBe(["shop", RetryHeaderNames.Schedule], ignoreOrder: true);
        Read((string)message.Properties.Headers[RetryHeaderNames.Schedule]!).Kept.Priority.ShouldBe((byte)7);
    }

    [Fact]
    public void What_is_due_has_everything_back_and_nothing_of_ours()
    {
        var state = State(Now) with { Kept = new KeptProperties { Exchange = "shop", RoutingKey = "k", Priority = 7, Expiration = "1000", UserId = "guest", Cc = ["a"], Bcc = ["b"] } };

        var message = ScheduledMessages.Due(Delivery(state), state, "guest");

        (message.Exchange, message.RoutingKey).ShouldBe(("shop", "k"));
        (message.Properties.Priority, message.Properties.Expiration, message.Properties.UserId).ShouldBe(((byte)7, "1000", "guest"));
        message.Properties.Headers!.Keys.ShouldBe(["CC", "BCC", "retry-mine"], ignoreOrder: true);
        message.Properties.Headers["CC"].ShouldBe(new List<object?> { "a" });
    }

    [Fact]
    public void The_name_of_another_user_is_left_off_since_the_broker_would_close_the_channel()
    {
        var state = State(Now) with { Kept = new KeptProperties { Exchange = "shop", RoutingKey = "k", UserId = "shop" } };

        ScheduledMessages.Due(Delivery(state), state, "dispatcher").Properties.IsUserIdPresent().ShouldBeFalse();
    }

    [Fact]
    public void What_may_have_been_dispatched_before_says_so()
    {
        var state = State(Now) with { Repeated = 2 };

        ScheduledMessages.Due(Delivery(state), state, "guest").Properties.Headers![RetryHeaderNames.Repeated].ShouldBe(2);
    }

    [Fact]
    public void What_is_lost_tells_why_and_sent_on_it_is_dispatched_as_if_nothing_had_been()
    {
        var state = State(Now);
        var lost = ScheduledMessages.Lost(Delivery(state), state, "Exchange 'shop' does not exist.", Now);

        lost.Exchange.ShouldBe(BrokerNames.LostExchange);
        BrokerNames.DestinationOf(lost.RoutingKey).ShouldBe(BrokerNames.ScheduleQueue);
        RetryHeaderReader.Read(lost.Properties.Headers, BrokerNames.ScheduleQueue).Error.ShouldBe("Exchange 'shop' does not exist.");

        var again = ScheduledMessages.Due(new ScheduledDelivery(2, false, lost.Properties, default), ScheduleHeader.Read(lost.Properties.Headers)!, "guest");
        (again.Exchange, again.RoutingKey).ShouldBe(("shop", "k"));
        again.Properties.Headers!.Keys.ShouldBeEmpty();
    }

    private static ScheduleState State(DateTimeOffset due) => new() { DueAt = due, Kept = new KeptProperties { Exchange = "shop", RoutingKey = "k" } };

    private static ScheduledDelivery Delivery(ScheduleState state) => new(1, false, new BasicProperties
    {
        Headers = new Dictionary<string, object?> { ["retry-mine"] = "a sender's own", [RetryHeaderNames.Schedule] = ScheduleHeader.Write(state) },
    }, default);

    private static ScheduleState Read(string header) => ScheduleHeader.Read(new Dictionary<string, object?> { [RetryHeaderNames.Schedule] = header })!;
}
