using Retry.Messaging.Operations.Schedules;
using Retry.Messaging.RabbitMq.Listing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Schedules;

public class NoticeBookTests
{
    private static readonly Guid Cancelled = new("0193a000-0000-7000-8000-000000000001");
    private static readonly DateTimeOffset Now = new(2027, 6, 1, 12, 30, 0, TimeSpan.Zero);

    [Fact]
    public void What_was_due_is_past_and_the_rest_is_counted_by_hour()
    {
        var book = Read(new ScheduleRequest(), Notice(0), Notice(-5), Notice(1), Notice(29), Notice(30), Notice(90));

        book.Waiting.ShouldBe(4);
        book.ByHour.ShouldBe(new Dictionary<DateTimeOffset, long> { [Now.AddMinutes(-30)] = 2, [Now.AddMinutes(30)] = 1, [Now.AddMinutes(90)] = 1 });
    }

    [Fact]
    public void The_next_ones_are_kept_in_whatever_order_they_were_noted()
    {
        var book = Read(new ScheduleRequest { Limit = 2 }, Notice(50), Notice(10), Notice(40), Notice(20), Notice(30));

        book.Next.Select(message => message.Notice.Due).ShouldBe([Notice(10).Due, Notice(20).Due]);
        book.Waiting.ShouldBe(5);
    }

    [Fact]
    public void One_is_found_by_where_it_goes_and_by_token_or_id()
    {
        Read(new ScheduleRequest { To = "orders" }, Notice(1), Notice(2) with { Exchange = "others" }).Waiting.ShouldBe(1);
        Read(new ScheduleRequest { Id = "TOKEN-2" }, Notice(1), Notice(2)).Next.ShouldHaveSingleItem().Notice.Token.ShouldBe("token-2");
        Read(new ScheduleRequest { Id = "id-1" }, Notice(1), Notice(2)).Next.ShouldHaveSingleItem().Notice.Id.ShouldBe("id-1");
    }

    [Fact]
    public void What_was_cancelled_is_counted_apart_and_shown_to_who_asks_for_it()
    {
        var cancelled = Notice(2) with { Token = Cancelled.ToString() };
        var list = Read(new ScheduleRequest(), Notice(1), cancelled);
        (list.Waiting, list.Cancelled, list.ByHour.Values.Sum()).ShouldBe((1, 1, 1));
        list.Next.ShouldHaveSingleItem().Notice.ShouldBe(Notice(1));

        var shown = Read(new ScheduleRequest { Id = Cancelled.ToString() }, Notice(1), cancelled);
        shown.Next.ShouldHaveSingleItem().IsCancelled.ShouldBeTrue();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    public void A_time_that_makes_no_sense_is_passed_over(long due) =>
        Read(new ScheduleRequest(), Notice(1) with { Due = due }).Waiting.ShouldBe(0);

    [Fact]
    public void Notices_come_back_as_they_were_written_and_a_strangers_record_has_none()
    {
        ScheduleIndex.Read(ScheduleIndex.Write([Notice(1), Notice(2)])).ShouldBe([Notice(1), Notice(2)]);
        ScheduleIndex.Read("hello"u8.ToArray()).ShouldBeEmpty();
    }

    private static NoticeBook Read(ScheduleRequest request, params ScheduleNotice[] notices)
    {
        var book = new NoticeBook(request, new HashSet<Guid> { Cancelled }, Now);
        foreach (var notice in notices)
        {
            book.Read(notice);
        }

        return book;
    }

    private static ScheduleNotice Notice(int minutes) =>
        new(Now.AddMinutes(minutes).ToUnixTimeMilliseconds(), "orders", null, $"id-{minutes}", $"token-{minutes}", "Order", "a test");
}
