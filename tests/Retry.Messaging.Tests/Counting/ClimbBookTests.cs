using Retry.Messaging.RabbitMq.Counting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Counting;

/// <summary>What waits in which rung is told by what was sent, and when.</summary>
public sealed class ClimbBookTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    private readonly ClimbBook _book = new();

    [Fact]
    public void A_message_is_in_one_rung_after_the_other_and_then_nowhere()
    {
        _book.Add(TimeSpan.FromSeconds(90), Now);

        Waits(Now.AddSeconds(59.9)).ShouldBe(["1m 1"]);
        Waits(Now.AddSeconds(60)).ShouldBe(["30s 1"]);
        Waits(Now.AddSeconds(89.9)).ShouldBe(["30s 1"]);
        Waits(Now.AddSeconds(90)).ShouldBeEmpty();
    }

    [Fact]
    public void It_says_when_the_first_and_the_last_leave_their_rung()
    {
        _book.Add(TimeSpan.FromSeconds(30), Now);
        _book.Add(TimeSpan.FromSeconds(30), Now.AddSeconds(10));

        var wait = _book.WaitingAt(Now.AddSeconds(12)).ShouldHaveSingleItem();

        (wait.Count, wait.Error, wait.Next, wait.Last).ShouldBe((2, 0, Now.AddSeconds(30), Now.AddSeconds(40)));
    }

    [Fact]
    public void Messages_that_leave_one_after_the_other_are_counted_with_their_error()
    {
        // one a second: those of about a thirty-second of the delay are counted together
        for (var second = 0; second <= 305; second++)
        {
            _book.Add(TimeSpan.FromMinutes(5), Now.AddSeconds(second));
        }

        var wait = _book.WaitingAt(Now.AddSeconds(305)).ShouldHaveSingleItem();

        Math.Abs(wait.Count - 300).ShouldBeLessThanOrEqualTo(wait.Error);
        wait.Error.ShouldBeInRange(0.1, 10);
    }

    [Fact]
    public void What_goes_straight_back_does_not_wait()
    {
        _book.Add(TimeSpan.Zero, Now);

        _book.WaitingAt(Now).ShouldBeEmpty();
        _book.TakeUnreported().ShouldBeEmpty();
    }

    [Fact]
    public void What_is_reported_says_the_same_in_another_book_and_is_told_once()
    {
        _book.Add(TimeSpan.FromSeconds(90), Now);
        _book.Add(TimeSpan.FromSeconds(90), Now.AddMilliseconds(1));
        var other = new ClimbBook();

        var reported = _book.TakeUnreported();
        _book.PutBack(reported);
        foreach (var (delay, runs) in _book.TakeUnreported())
        {
            runs.ForEach(run => other.Add(delay, run));
        }

        other.WaitingAt(Now.AddSeconds(70)).ShouldBe(_book.WaitingAt(Now.AddSeconds(70)));
        other.WaitingAt(Now.AddSeconds(70)).ShouldHaveSingleItem().Count.ShouldBe(2);
        _book.TakeUnreported().ShouldBeEmpty();
    }

    [Fact]
    public void It_takes_no_more_room_however_many_messages_climb_and_whoever_asks()
    {
        for (var i = 0; i < 100_000; i++)
        {
            _book.Add(TimeSpan.FromSeconds(2), Now.AddMilliseconds(10 * i));
        }

        _book.TakeUnreported().Values.Sum(runs => runs.Count).ShouldBeLessThan(4_000);
    }

    private IEnumerable<string> Waits(DateTimeOffset at) => _book.WaitingAt(at).Select(wait => $"{wait.Grade} {wait.Count}");
}
