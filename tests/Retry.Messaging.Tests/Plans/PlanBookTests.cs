using Retry.Messaging.Operations.Plans;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Plans;

/// <summary>Which plan has a queue, which are remembered, and what later plans leave alone.</summary>
public sealed class PlanBookTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void An_open_plan_has_the_queue_until_it_ends()
    {
        var open = new PlanBook("payments").With(Plan("a"));
        open.Open!.Id.ShouldBe("a");

        var ended = open.Without(open.Open with { State = PlanState.Done, Keys = [1, 2], Doubtful = [3] }, []);

        ended.Open.ShouldBeNull();
        ended.Ended.ShouldHaveSingleItem().ShouldSatisfyAllConditions(plan => plan.Keys.ShouldBeNull(), plan => plan.Doubtful.ShouldBeEmpty());
        ended.Plans.Select(plan => plan.Id).ShouldBe(["a"]);
    }

    [Fact]
    public void The_last_ten_that_ended_are_kept_and_none_for_more_than_thirty_days()
    {
        var book = new PlanBook("payments").Without(Plan("old"), []);
        for (var number = 0; number < 12; number++)
        {
            book = book.Without(Plan($"{number}") with { RunAt = Now.AddDays(30).AddHours(number) }, []);
        }

        book.Ended.Select(plan => plan.Id).ShouldBe(["11", "10", "9", "8", "7", "6", "5", "4", "3", "2"]);
        new PlanBook("payments").Without(Plan("old"), []).Without(Plan("new") with { RunAt = Now.AddDays(30) }, []).Ended.Select(plan => plan.Id).ShouldBe(["new"]);
    }

    [Fact]
    public void What_cancelled_plans_may_have_sent_is_kept_until_it_is_no_longer_parked()
    {
        var book = new PlanBook("payments").Without(Plan("a"), [1, 2, 3]).Without(Plan("b"), [4]).Without(Plan("c"), []);
        book.DoubtfulKeys().ShouldBe(new ulong[] { 1, 2, 3, 4 }, ignoreOrder: true);

        var later = book.WithDoubtfulOnly(new HashSet<ulong> { 2 });

        later.DoubtfulKeys().ShouldBe(new ulong[] { 2 });
        later.Doubtful.ShouldHaveSingleItem().Plan.ShouldBe("a");
    }

    [Fact]
    public void Keys_come_back_as_they_were()
    {
        ulong[] keys = [0, 1, ulong.MaxValue, 0x0102030405060708];

        PlanBook.ToKeys(PlanBook.ToBytes(keys)).ShouldBe(keys);
    }

    private static Plan Plan(string id) => new(id, new PlanTerms(PlanAction.Replay), "payments", "ann@host", Now) { Count = 4 };
}
