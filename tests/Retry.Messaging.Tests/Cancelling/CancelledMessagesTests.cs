using Retry.Messaging.RabbitMq.Cancelling;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Cancelling;

public class CancelledMessagesTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly CancelledMessages _cancelled = new();

    [Fact]
    public void A_token_counts_as_cancelled_once_it_is_read()
    {
        var (one, other) = (ScheduleToken.Create(Now), ScheduleToken.Create(Now));
        _cancelled.Add(new(one, Now), 100).ShouldBeTrue();
        _cancelled.Add(new(one, Now), 100).ShouldBeFalse("it was cancelled before");

        _cancelled.Has(one, null).ShouldBeTrue();
        _cancelled.Has(other, null).ShouldBeFalse();
    }

    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void A_callers_own_token_is_cancelled_for_what_was_scheduled_before(int microseconds, bool expected)
    {
        var token = Guid.NewGuid();
        _cancelled.Add(new(token, Now), 100);

        _cancelled.Has(token, Now.AddMicroseconds(microseconds)).ShouldBe(expected);
    }

    [Fact]
    public void The_later_of_two_cancels_counts_in_whatever_order_they_are_read()
    {
        var token = Guid.NewGuid();
        _cancelled.Add(new(token, Now.AddSeconds(5)), 100);
        _cancelled.Add(new(token, Now), 100);

        _cancelled.Has(token, Now.AddSeconds(4)).ShouldBeTrue();
    }

    [Fact]
    public void What_is_dead_is_forgotten_and_what_is_wanted_is_not()
    {
        var (dead, wanted, unknown) = (ScheduleToken.Create(Now.AddDays(-8)), ScheduleToken.Create(Now.AddDays(-6)), Guid.NewGuid());
        foreach (var token in new[] { dead, wanted, unknown })
        {
            _cancelled.Add(new(token, Now.AddDays(-300)), 100);
        }

        _cancelled.Skip(1001);
        _cancelled.Behind(1000, 10, Now);

        _cancelled.Has(dead, null).ShouldBeFalse();
        _cancelled.Has(wanted, null).ShouldBeTrue();
        _cancelled.Has(unknown, null).ShouldBeTrue();
        _cancelled.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(365 * 5, true)]
    [InlineData(0, true)]
    [InlineData(-6.9, true)]
    [InlineData(-7.1, false)]
    public void What_is_wanted_is_written_again_and_what_is_dead_is_not(double dueInDays, bool expected)
    {
        var token = ScheduleToken.Create(Now.AddDays(dueInDays));
        _cancelled.Add(new(token, Now.AddDays(-300)), 100);
        _cancelled.Skip(1001);

        _cancelled.Behind(1000, 10, Now).Select(one => one.Token).ShouldBe(expected ? [token] : []);
    }

    [Theory]
    [InlineData(9.9, true)]
    [InlineData(10.1, false)]
    public void One_that_does_not_tell_its_time_is_wanted_for_ten_years(double years, bool expected)
    {
        _cancelled.Add(new(Guid.NewGuid(), Now.AddDays(-365 * years)), 100);
        _cancelled.Skip(1001);

        _cancelled.Behind(1000, 10, Now).Count.ShouldBe(expected ? 1 : 0);
    }

    [Fact]
    public void What_lies_not_far_back_is_not_written_again()
    {
        _cancelled.Add(new(ScheduleToken.Create(Now), Now), 100);
        _cancelled.Skip(1000);

        _cancelled.Behind(1000, 10, Now).ShouldBeEmpty();
    }

    [Fact]
    public void What_was_written_again_lies_not_far_back_any_more()
    {
        var one = new Cancellation(ScheduleToken.Create(Now), Now);
        _cancelled.Add(one, 100);
        _cancelled.Skip(1001);
        _cancelled.Behind(1000, 10, Now).ShouldHaveSingleItem();
        _cancelled.Add(one, 24);
        _cancelled.Skip(999);

        _cancelled.Behind(1000, 10, Now).ShouldBeEmpty();
        _cancelled.Skip(251);
        _cancelled.Behind(1000, 10, Now).ShouldHaveSingleItem();
    }

    [Fact]
    public void Where_there_is_no_room_for_all_what_is_due_last_is_kept()
    {
        var tokens = Enumerable.Range(0, 5).Select(day => ScheduleToken.Create(Now.AddDays(day))).ToList();
        tokens.ForEach(token => _cancelled.Add(new(token, Now), 100));
        _cancelled.Skip(2000);

        _cancelled.Behind(1000, 2, Now).Select(one => one.Token).ShouldBe([tokens[4], tokens[3]]);
    }
}
