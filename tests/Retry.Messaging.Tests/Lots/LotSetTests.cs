using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Lots;

public sealed class LotSetTests
{
    [Fact]
    public void Meets_each_message_as_often_as_it_was_read()
    {
        var set = SetOf("a", "a", "b");

        set.Count.ShouldBe(3);
        set.TryMeet(Message("a")).ShouldBeTrue();
        set.TryMeet(Message("a")).ShouldBeTrue();
        set.TryMeet(Message("a")).ShouldBeFalse();
        set.TryMeet(Message("c")).ShouldBeFalse();
        set.Count.ShouldBe(3, "nothing was moved yet");
    }

    [Fact]
    public void Takes_one_that_was_replayed_and_parked_again_for_another()
    {
        var set = SetOf("a");

        set.TryMeet(Message("a", replayed: 1, plan: "p")).ShouldBeFalse();
        set.TryMeet(Message("a")).ShouldBeTrue();
    }

    [Fact]
    public void What_was_met_and_not_moved_is_met_again_by_the_next_reading_and_what_was_moved_is_not()
    {
        var set = SetOf("a", "b");
        var moved = Message("a");
        set.TryMeet(moved).ShouldBeTrue();
        set.TryMeet(Message("b")).ShouldBeTrue();
        set.Settle(moved);

        set.BeginReading();

        set.Count.ShouldBe(1);
        set.TryMeet(Message("a")).ShouldBeFalse();
        set.TryMeet(Message("b")).ShouldBeTrue();
    }

    [Fact]
    public void Knows_again_what_an_earlier_run_announced_and_what_of_that_is_left()
    {
        var first = SetOf("a", "b", "c");
        var set = new LotSet(first.Keys.ToArray()) { EarlierRuns = 2 };
        var a = Message("a");
        first.TryMeet(a);
        set.Announce(a.Place!.Value);
        set.Announce(17);

        var (announced, other) = (Message("a"), Message("b"));
        set.TryMeet(announced).ShouldBeTrue();
        set.TryMeet(other).ShouldBeTrue();

        announced.EarlierRuns.ShouldBe(2);
        other.EarlierRuns.ShouldBe(0);
        set.Doubtful().ShouldBe([a.Place!.Value]);
        set.Settle(announced);
        set.Doubtful().ShouldBeEmpty();
    }

    [Fact]
    public void Has_one_hash_for_the_same_messages_in_any_order_and_another_for_others()
    {
        SetOf("a", "b").Hash.ShouldBe(SetOf("b", "a").Hash);
        SetOf("a", "b").Hash.ShouldNotBe(SetOf("a", "c").Hash);
        SetOf("a", "b").Hash.Length.ShouldBe(16);
    }

    private static LotSet SetOf(params string[] ids)
    {
        var set = new LotSet();
        foreach (var id in ids)
        {
            set.Add(Message(id));
        }

        return set;
    }

    private static ParkedMessage Message(string id, int replayed = 0, string? plan = null) => new()
    {
        Id = id,
        WorkQueue = "work",
        Reason = ParkReason.Exhausted,
        State = new RetryState { Id = id, Replayed = replayed, Plan = plan },
    };
}
