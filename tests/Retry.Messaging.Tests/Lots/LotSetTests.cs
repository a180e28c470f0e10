using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Lots;

public sealed class LotSetTests
{
    [Fact]
    public void Takes_each_message_as_often_as_it_was_read()
    {
        var set = new LotSet();
        set.Add(Message("a"));
        set.Add(Message("a"));
        set.Add(Message("b"));
        set.Count.ShouldBe(3);
        set.TryMeet(Message("a")).ShouldBeTrue();
        set.TryMeet(Message("a")).ShouldBeTrue();
        set.TryMeet(Message("a")).ShouldBeFalse();
        set.TryMeet(Message("c")).ShouldBeFalse();
        set.Count.ShouldBe(1);
    }

    [Fact]
    public void Takes_one_that_was_replayed_and_parked_again_for_another()
    {
        var set = new LotSet();
        set.Add(Message("a"));
        set.TryMeet(Message("a", replayed: 1, plan: "p")).ShouldBeFalse();
        set.TryMeet(Message("a")).ShouldBeTrue();
    }

    private static ParkedMessage Message(string id, int replayed = 0, string? plan = null) => new()
    {
        Id = id,
        WorkQueue = "work",
        Reason = ParkReason.Exhausted,
        State = new RetryState { Id = id, Replayed = replayed, Plan = plan },
    };
}
