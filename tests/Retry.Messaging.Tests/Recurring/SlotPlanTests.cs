using Retry.Messaging.Recurring;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Recurring;

public class SlotPlanTests
{
    private static readonly DateTimeOffset Noon = new(2027, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly CronSlots EveryTenMinutes = CronSlots.Parse("*/10 * * * *");

    [Theory]
    [InlineData(MissedSlots.Skip)]
    [InlineData(MissedSlots.Once)]
    [InlineData(MissedSlots.All)]
    public void A_slot_is_due_at_its_time_and_within_a_minute_whatever_becomes_of_missed_ones(MissedSlots missed)
    {
        SlotPlan.Decide(EveryTenMinutes, missed, Noon, Noon.AddMinutes(10).AddTicks(-1)).Due.ShouldBeEmpty();
        SlotPlan.Decide(EveryTenMinutes, missed, Noon, Noon.AddMinutes(10)).Due.ShouldBe([Noon.AddMinutes(10)]);
        SlotPlan.Decide(EveryTenMinutes, missed, Noon, Noon.AddMinutes(10).AddSeconds(59)).Due.ShouldBe([Noon.AddMinutes(10)]);
    }

    [Theory]
    [InlineData(MissedSlots.Skip, new int[0])]
    [InlineData(MissedSlots.Once, new[] { 30 })]
    [InlineData(MissedSlots.All, new[] { 10, 20, 30 })]
    public void What_was_missed_is_skipped_or_sent_once_or_sent_all(MissedSlots missed, int[] minutes)
    {
        var plan = SlotPlan.Decide(EveryTenMinutes, missed, Noon, Noon.AddMinutes(35));

        plan.Due.ShouldBe(minutes.Select(minute => Noon.AddMinutes(minute)));
        plan.Next.ShouldBe(Noon.AddMinutes(40));
    }

    [Theory]
    [InlineData(MissedSlots.Skip, new[] { 30 })]
    [InlineData(MissedSlots.Once, new[] { 20, 30 })]
    [InlineData(MissedSlots.All, new[] { 10, 20, 30 })]
    public void A_slot_that_is_hardly_late_comes_besides(MissedSlots missed, int[] minutes) =>
        SlotPlan.Decide(EveryTenMinutes, missed, Noon, Noon.AddMinutes(30).AddSeconds(5)).Due.ShouldBe(minutes.Select(minute => Noon.AddMinutes(minute)));

    [Fact]
    public void What_was_decided_is_not_decided_again()
    {
        var plan = SlotPlan.Decide(EveryTenMinutes, MissedSlots.All, Noon, Noon.AddMinutes(35));

        SlotPlan.Decide(EveryTenMinutes, MissedSlots.All, plan.DecidedUpTo, Noon.AddMinutes(39)).Due.ShouldBeEmpty();
    }

    [Fact]
    public void Very_many_that_were_missed_come_in_portions_and_none_twice()
    {
        var everySecond = CronSlots.Parse("* * * * * *");
        var now = Noon.AddMinutes(10);
        var sent = new List<DateTimeOffset>();
        for (var (upTo, next) = (Noon, (DateTimeOffset?)Noon); next <= now;)
        {
            var plan = SlotPlan.Decide(everySecond, MissedSlots.All, upTo, now);
            plan.Due.Count.ShouldBeLessThanOrEqualTo(SlotPlan.MostAtOnce);
            sent.AddRange(plan.Due);
            (upTo, next) = (plan.DecidedUpTo, plan.Next);
        }

        sent.ShouldBe(Enumerable.Range(1, 600).Select(second => Noon.AddSeconds(second)));
    }

    [Fact]
    public void The_id_of_a_slot_is_the_same_for_each_copy_and_another_for_each_slot()
    {
        SlotId.Of("nightly", Noon).ShouldBe(SlotId.Of("nightly", Noon.ToOffset(TimeSpan.FromHours(2))));
        new[] { SlotId.Of("nightly", Noon), SlotId.Of("nightly", Noon.AddSeconds(1)), SlotId.Of("daily", Noon), SlotId.OutOfTurn("nightly", 1) }.ShouldBeUnique();
    }
}
