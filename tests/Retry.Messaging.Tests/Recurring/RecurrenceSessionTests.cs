using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Recurring;
using Retry.Messaging.Recurring;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Recurring;

public sealed class RecurrenceSessionTests : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly FakeTimeProvider _clock = new(At("2027-03-27T22:00:30Z"));
    private readonly EightSchedulers _schedulers;

    public RecurrenceSessionTests() => _schedulers = new EightSchedulers(_clock);

    public ValueTask DisposeAsync() => _schedulers.DisposeAsync();

    /// <summary>In spring Berlin's clock leaves out 2:00 to 3:00, in autumn it shows it twice. What is expected stands here, and is not computed by cron.</summary>
    [Theory]
    [InlineData("2027-03-27T22:00:30Z", "2027-03-28T01:00Z")]
    [InlineData("2027-10-30T22:00:30Z", "2027-10-31T00:30Z")]
    public async Task Over_a_change_of_the_clock_eight_schedulers_that_are_killed_send_each_slot_once(string begin, string atHalfPastTwo)
    {
        var random = new Random(20271031);
        _clock.AdjustTime(At(begin));
        var writer = await _schedulers.WriterAsync();
        await writer.DefineAsync("quarters", Every("0/15 * * * *"), default);
        await writer.DefineAsync("at half past two", Every("30 2 * * *"), default);
        _schedulers.Kill = () => random.Next(4) switch { 0 => (true, false), 1 => (false, true), _ => (false, false) };
        var wanted = new List<string>();

        for (var at = At(begin).AddSeconds(-30).AddMinutes(15); at <= At(begin).AddHours(8); at = at.AddMinutes(15))
        {
            wanted.Add(SlotId.Of("quarters", at).ToString());
            if (at == At(atHalfPastTwo))
            {
                wanted.Add(SlotId.Of("at half past two", at).ToString());
            }

            await AdvanceAsync(at - _clock.GetUtcNow(), wanted.Count);
        }

        wanted.Count.ShouldBe(33);
        _schedulers.Killed.ShouldBeGreaterThan(8);
        var published = _schedulers.Published;
        published.Select(one => one.Id).Distinct().Order().ShouldBe(wanted.Order());
        // killed between the publish and the record of it: the one cause of a copy, which says that it may be one
        published.GroupBy(one => one.Id).SelectMany(copies => copies.Skip(1)).ShouldAllBe(copy => copy.MayBeCopy);
        published.Count.ShouldBeLessThanOrEqualTo(wanted.Count + _schedulers.Unrecorded);
    }

    [Fact]
    public async Task A_pause_holds_until_it_is_resumed_and_what_fell_into_it_is_not_made_up_for()
    {
        var writer = await _schedulers.WriterAsync();
        await writer.DefineAsync("minutes", Every("* * * * *") with { Missed = MissedSlots.All }, default);
        await AdvanceAsync(TimeSpan.FromMinutes(2), sent: 2);

        (await writer.PauseAsync("minutes", default)).ShouldBeTrue();
        (await writer.PauseAsync("minutes", default)).ShouldBeFalse();
        _clock.Advance(TimeSpan.FromMinutes(5));
        await Never.TrueAsync(() => _schedulers.Published.Count > 2, TimeSpan.FromMilliseconds(300));
        (await writer.ResumeAsync("minutes", default)).ShouldBeTrue();

        await AdvanceAsync(TimeSpan.FromMinutes(1), sent: 3);
        await Never.TrueAsync(() => _schedulers.Published.Count > 3, TimeSpan.FromMilliseconds(300));
        _schedulers.Published[^1].Id.ShouldBe(SlotId.Of("minutes", At("2027-03-27T22:08:00Z")).ToString());
    }

    [Fact]
    public async Task Out_of_turn_one_message_more_is_sent_once_also_in_a_pause()
    {
        var writer = await _schedulers.WriterAsync();
        await writer.DefineAsync("yearly", Every("0 0 1 1 *"), default);
        await writer.PauseAsync("yearly", default);

        await writer.RunNowAsync("yearly", default);
        await HasSentAsync(1);
        await writer.RunNowAsync("yearly", default);
        await HasSentAsync(2);

        _schedulers.Published.Select(one => one.Id).ShouldBe([SlotId.OutOfTurn("yearly", 1).ToString(), SlotId.OutOfTurn("yearly", 2).ToString()]);
        await Never.TrueAsync(() => _schedulers.Published.Count > 2, TimeSpan.FromMilliseconds(300));
    }

    [Fact]
    public async Task A_new_message_goes_on_where_the_old_one_was_and_new_times_begin_with_their_change()
    {
        var writer = await _schedulers.WriterAsync();
        await writer.DefineAsync("it", Every("0 * * * *") with { Missed = MissedSlots.All }, default);
        await AdvanceAsync(TimeSpan.FromHours(1), sent: 1);
        _schedulers.Kill = () => (true, false);
        await AdvanceAsync(TimeSpan.FromHours(2), () => _schedulers.Killed > 0);

        // nobody could send for two hours; a new version of the service changes the body, which is no reason to forget them
        await writer.DefineAsync("it", Every("0 * * * *", "{}") with { Missed = MissedSlots.All }, default);
        _schedulers.Kill = () => (false, false);
        await HasSentAsync(3);

        await writer.DefineAsync("it", Every("5 * * * *") with { Missed = MissedSlots.All }, default);
        await AdvanceAsync(TimeSpan.FromMinutes(5), sent: 4);
        _schedulers.Published[^1].Id.ShouldBe(SlotId.Of("it", At("2027-03-28T01:05:00Z")).ToString());
    }

    [Fact]
    public async Task What_was_removed_recurs_no_more_and_what_does_not_fit_in_does_not_stop_others()
    {
        var writer = await _schedulers.WriterAsync();
        await writer.DefineAsync("gone", Every("* * * * *"), default);
        (await writer.RemoveAsync("gone", default)).ShouldBeTrue();
        (await writer.RemoveAsync("gone", default)).ShouldBeFalse();
        await writer.DefineAsync("there", Every("* * * * *"), default);

        // who has sent what was defined later has read the removal, too; before that it may send once more
        await AdvanceToAsync("2027-03-27T22:01:00Z");
        await AdvanceToAsync("2027-03-27T22:02:00Z");

        _schedulers.Published.Select(one => one.Id).ShouldNotContain(SlotId.Of("gone", At("2027-03-27T22:02:00Z")).ToString());

        Task AdvanceToAsync(string slot)
        {
            var id = SlotId.Of("there", At(slot)).ToString();
            return AdvanceAsync(TimeSpan.FromMinutes(1), () => _schedulers.Published.Any(one => one.Id == id));
        }
    }

    private Task AdvanceAsync(TimeSpan time, int sent) => AdvanceAsync(time, () => HasSent(sent));

    private Task AdvanceAsync(TimeSpan time, Func<bool> until)
    {
        _clock.Advance(time);
        return HappensAsync(() =>
        {
            _schedulers.Wake();
            return until();
        });
    }

    private Task HasSentAsync(int count) => HappensAsync(() => HasSent(count));

    private bool HasSent(int count) => _schedulers.Published.Select(one => one.Id).Distinct().Count() >= count;

    private Task HappensAsync(Func<bool> condition) => Eventually.TrueAsync(
        condition,
        Deadline,
        () => $"{_schedulers.Published.Count} published at {_clock.GetUtcNow():u}",
        TimeSpan.FromMilliseconds(5));

    private static RecurrenceDefinition Every(string cron, string body = "[]") => new()
    {
        Cron = cron,
        TimeZone = "Europe/Berlin",
        Message = RecurringMessage.Of(new KeptProperties { Exchange = "reports", RoutingKey = string.Empty }, new BasicProperties(), System.Text.Encoding.UTF8.GetBytes(body)),
    };

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
