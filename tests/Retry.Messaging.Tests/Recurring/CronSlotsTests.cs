using FsCheck;
using FsCheck.Fluent;
using Retry.Messaging.Recurring;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Recurring;

public class CronSlotsTests
{
    private static readonly string[] Zones = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"];

    private static readonly string[] Expressions =
        ["* * * * *", "*/7 * * * *", "0 * * * *", "30 2 * * *", "15,45 1-3 * * *", "0 0 * * *", "0 9 * * MON-FRI", "0/20 * * * * *", "30 59 1 * * *", "0 3 L * *"];

    /// <summary>On 2027-03-28 Berlin's clock goes from 2:00 to 3:00, on 2027-10-31 from 3:00 back to 2:00.</summary>
    [Theory]
    // left out by the clock: at the moment of the change, once
    [InlineData("30 2 * * *", "2027-03-27T12:00Z", "2027-03-28T01:00Z", "2027-03-29T00:30Z")]
    [InlineData("0 2 * * *", "2027-03-27T12:00Z", "2027-03-28T01:00Z", "2027-03-29T00:00Z")]
    [InlineData("0,30 2 * * *", "2027-03-27T12:00Z", "2027-03-28T01:00Z", "2027-03-29T00:00Z")]
    // twice on the clock: the first time
    [InlineData("30 2 * * *", "2027-10-30T12:00Z", "2027-10-31T00:30Z", "2027-11-01T01:30Z")]
    [InlineData("0 2 * * *", "2027-10-30T12:00Z", "2027-10-31T00:00Z", "2027-11-01T01:00Z")]
    // by intervals: through both, without a gap and without a copy
    [InlineData("*/30 * * * *", "2027-03-28T00:29:59Z", "2027-03-28T00:30Z", "2027-03-28T01:00Z", "2027-03-28T01:30Z")]
    [InlineData("*/30 * * * *", "2027-10-31T00:29:59Z", "2027-10-31T00:30Z", "2027-10-31T01:00Z", "2027-10-31T01:30Z", "2027-10-31T02:00Z")]
    public void Over_a_change_of_Berlins_clock_each_slot_comes_once(string cron, string after, params string[] slots) =>
        Take(CronSlots.Parse(cron, "Europe/Berlin"), At(after), slots.Length).ShouldBe(slots.Select(At));

    /// <summary>Lord Howe's clock changes by half an hour: on 2027-10-03 from 2:00 to 2:30, on 2027-04-04 from 2:00 back to 1:30.</summary>
    [Theory]
    [InlineData("15 2 * * *", "2027-10-02T12:00Z", "2027-10-02T15:30Z", "2027-10-03T15:15Z")]
    [InlineData("45 1 * * *", "2027-04-03T12:00Z", "2027-04-03T14:45Z", "2027-04-04T15:15Z")]
    [InlineData("*/15 * * * *", "2027-04-03T14:44:59Z", "2027-04-03T14:45Z", "2027-04-03T15:00Z", "2027-04-03T15:15Z", "2027-04-03T15:30Z")]
    public void Over_a_change_by_half_an_hour_as_well(string cron, string after, params string[] slots) =>
        Take(CronSlots.Parse(cron, "Australia/Lord_Howe"), At(after), slots.Length).ShouldBe(slots.Select(At));

    /// <summary>What a scheduler relies on: it may stop and go on anywhere, and backwards it finds the same slots.</summary>
    [Fact]
    public void In_any_zone_slots_only_grow_and_are_the_same_from_wherever_one_looks() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000), Prop.ForAll(
            Gen.Elements(Zones).ToArbitrary(),
            Gen.Elements(Expressions).ToArbitrary(),
            Gen.Choose(0, 3 * 365 * 24 * 60).ToArbitrary(),
            (zone, cron, minutes) =>
            {
                var slots = CronSlots.Parse(cron, zone);
                var from = At("2026-01-01T00:00Z").AddMinutes(minutes);
                var some = Take(slots, from, 6);

                return some.Zip(some.Skip(1)).All(pair => pair.First < pair.Second && slots.After(pair.Second.AddTicks(-1)) == pair.Second)
                    && some.All(slot => slots.UpTo(slot, from) == slot)
                    && some.Zip(some.Skip(1)).All(pair => slots.UpTo(pair.Second.AddTicks(-1), from) == pair.First);
            }));

    /// <summary>The other way round: each minute of a wall clock that shows it has its slot.</summary>
    [Fact]
    public void A_time_of_day_has_exactly_one_slot_on_each_day_of_a_year() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll(
            Gen.Elements(Zones).ToArbitrary(),
            Gen.Choose(0, 23).ToArbitrary(),
            Gen.Choose(0, 59).ToArbitrary(),
            (zone, hour, minute) =>
            {
                var slots = CronSlots.Parse($"{minute} {hour} * * *", zone);
                var days = Take(slots, At("2027-01-01T00:00Z"), 365).Select(slot => TimeZoneInfo.ConvertTime(slot, TimeZoneInfo.FindSystemTimeZoneById(zone)).Date).ToList();

                return days.Distinct().Count() == 365 && days[^1] - days[0] == TimeSpan.FromDays(364);
            }));

    [Fact]
    public void There_are_no_slots_before_the_first_and_after_the_last_moment()
    {
        var slots = CronSlots.Parse("0 * * * *", null, At("2027-01-01T10:00Z"), At("2027-01-01T12:00Z"));

        Take(slots, At("2026-01-01T00:00Z"), 9).ShouldBe(new[] { "2027-01-01T10:00Z", "2027-01-01T11:00Z", "2027-01-01T12:00Z" }.Select(At));
        slots.UpTo(At("2027-06-01T00:00Z"), At("2026-01-01T00:00Z")).ShouldBe(At("2027-01-01T12:00Z"));
        slots.UpTo(At("2027-06-01T00:00Z"), At("2027-01-01T12:00Z")).ShouldBeNull();
        slots.UpTo(At("2027-01-01T09:59Z"), At("2026-01-01T00:00Z")).ShouldBeNull();
    }

    [Theory]
    [InlineData("0 25 * * *", null, "'0 25 * * *'")]
    [InlineData("", null, "''")]
    [InlineData("0 0 2 ? * 2 2027", null, "five fields, or six")]
    [InlineData("0 2 * * *", "Europe/Atlantis", "'Europe/Atlantis'")]
    public void What_cannot_be_read_is_said(string cron, string? zone, string named) =>
        Should.Throw<FormatException>(() => CronSlots.Parse(cron, zone)).Message.ShouldContain(named);

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static List<DateTimeOffset> Take(CronSlots slots, DateTimeOffset after, int count)
    {
        var found = new List<DateTimeOffset>();
        for (var next = slots.After(after); next is { } slot && found.Count < count; next = slots.After(slot))
        {
            found.Add(slot);
        }

        return found;
    }
}
