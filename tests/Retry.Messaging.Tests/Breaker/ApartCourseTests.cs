using Retry.Messaging.Breaker;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Breaker;

public sealed class ApartCourseTests
{
    private readonly ApartCourse _course = new() { Interval = 5 };
    private double _now;
    private int _message;

    [Fact]
    public void While_it_fails_it_tries_itself_less_and_less_often()
    {
        _course.Name(1, _now);

        Enumerable.Range(0, 7).Select(_ => Try(answered: false)).ShouldBe([5, 10, 20, 40, 60, 60, 60]);
        _course.IsApart.ShouldBeTrue();
    }

    [Fact]
    public void Three_messages_in_a_row_that_are_answered_bring_it_back()
    {
        _course.Name(3, _now);
        Try(answered: true).ShouldBe(5);
        Try(answered: false).ShouldBe(0);
        Try(answered: true).ShouldBe(10);
        Try(answered: true).ShouldBe(0);
        _course.IsApart.ShouldBeTrue();
        _course.Back.ShouldBe(0);

        Try(answered: true).ShouldBe(0);

        _course.IsApart.ShouldBeFalse();
        _course.Back.ShouldBe(3);
    }

    [Fact]
    public void The_same_message_three_times_is_one_answer()
    {
        _course.Name(1, _now);
        for (var time = 0; time < 3; time++)
        {
            _course.Ended(true, "one", _now);
        }

        _course.IsApart.ShouldBeTrue();
    }

    [Fact]
    public void A_message_that_did_not_come_to_be_consumed_says_nothing()
    {
        _course.Name(1, _now);
        Try(answered: true);
        Try(answered: true);

        Try(answered: null);

        Try(answered: true).ShouldBe(5);
        _course.IsApart.ShouldBeFalse();
    }

    [Fact]
    public void What_it_has_come_back_from_does_not_set_it_apart_again()
    {
        _course.Name(2, _now);
        _course.TakePart(_now);

        _course.Name(2, _now);
        _course.IsApart.ShouldBeFalse();

        _course.Name(3, _now);
        _course.IsApart.ShouldBeTrue();
    }

    [Theory]
    [InlineData(59, 20)]
    [InlineData(60, 5)]
    public void Who_falls_ill_again_within_a_minute_goes_on_with_its_pause(double seconds, double pause)
    {
        _course.Name(1, _now);
        Try(answered: false);
        Try(answered: false);
        _course.TakePart(_now);
        _now += seconds;

        _course.Name(2, _now);

        Try(answered: false).ShouldBe(pause);
    }

    [Fact]
    public void Who_is_no_longer_named_takes_part()
    {
        _course.Name(1, _now);

        _course.Name(0, _now);

        _course.IsApart.ShouldBeFalse();
        _course.IsDue(double.MaxValue).ShouldBeFalse();
    }

    // returns how long it waited before
    private double Try(bool? answered)
    {
        var pause = _course.Next(_now);
        _course.IsDue(_now + pause - 0.001).ShouldBe(pause == 0 && _course.IsDue(_now - 0.001));
        _now += pause;
        _course.IsDue(_now).ShouldBeTrue();
        _course.Ended(answered, $"{_message++}", _now);
        return pause;
    }
}
