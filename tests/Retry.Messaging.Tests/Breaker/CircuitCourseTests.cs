using Retry.Messaging.Breaker;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Breaker;

public class CircuitCourseTests
{
    private readonly CircuitCourse _course = new(5);
    private int _messages;

    [Fact]
    public void An_open_circuit_gives_one_permit_in_an_interval_and_the_first_after_one()
    {
        _course.Open(100);

        _course.Give(104.9).ShouldBeEmpty();
        _course.Give(105).Count.ShouldBe(1);
        _course.Give(105.1).ShouldBeEmpty();
        _course.Give(109.9).ShouldBeEmpty();
        _course.Give(110).Count.ShouldBe(1);
    }

    [Fact]
    public void A_probe_that_is_answered_begins_the_steps_and_they_end_with_all_that_wait()
    {
        _course.Open(0);
        var steps = new List<int>();
        for (var now = 5.0; _course.State is CircuitState.Open or CircuitState.HalfOpen; now += 0.1)
        {
            var permits = _course.Give(now);
            if (permits.Count > 0)
            {
                steps.Add(permits.Count);
            }

            foreach (var permit in permits)
            {
                Run(permit, answered: true, now);
            }
        }

        steps.ShouldBe([1, 1, 2, 4, 8]);
        _course.State.ShouldBe(CircuitState.Closing);
    }

    [Fact]
    public void A_probe_that_fails_changes_nothing_and_the_next_comes_in_its_time()
    {
        _course.Open(0);
        Run(_course.Give(5).Single(), answered: false, 5.2);

        _course.State.ShouldBe(CircuitState.Open);
        _course.Give(9.9).ShouldBeEmpty();
        _course.Give(10).Count.ShouldBe(1);
    }

    [Fact]
    public void A_probe_that_hangs_is_no_success_and_what_it_says_later_counts_for_nothing()
    {
        _course.Open(0);
        var hanging = _course.Give(5).Single();
        _course.Began(hanging);

        _course.Give(10).Count.ShouldBe(1);
        _course.Ended(hanging, answered: true, "hanging", 10.1);

        _course.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void A_step_that_fails_costs_its_own_size()
    {
        _course.Open(0);
        Run(_course.Give(5).Single(), answered: true, 5);
        Run(_course.Give(5.1).Single(), answered: true, 5.1);
        foreach (var permit in _course.Give(5.2))
        {
            Run(permit, answered: false, 5.3);
        }

        _course.State.ShouldBe(CircuitState.Open);
        _course.Give(10.2).ShouldBeEmpty();
        _course.Give(10.3).Count.ShouldBe(1);
    }

    [Fact]
    public void One_error_among_many_answers_of_a_step_does_not_end_it()
    {
        _course.Open(0);
        var now = 5.0;
        foreach (var size in new[] { 1, 1, 2 })
        {
            var permits = _course.Give(now += 0.1);
            permits.Count.ShouldBe(size);
            permits.ToList().ForEach(permit => Run(permit, answered: true, now));
        }

        var four = _course.Give(now += 0.1);
        four.Take(1).ToList().ForEach(permit => Run(permit, answered: false, now));
        four.Skip(1).ToList().ForEach(permit => Run(permit, answered: true, now));

        _course.State.ShouldBe(CircuitState.HalfOpen);
        _course.Give(now + 0.1).Count.ShouldBe(8);
    }

    [Fact]
    public void Answers_to_one_message_count_once()
    {
        _course.Open(0);
        for (var probe = 0; probe < 3; probe++)
        {
            foreach (var permit in _course.Give(5 + (5 * probe)))
            {
                _course.Began(permit);
                _course.Ended(permit, answered: true, "the same", 5.1 + (5 * probe));
            }
        }

        _course.State.ShouldBe(CircuitState.HalfOpen);
        _course.Give(20).Count.ShouldBe(1, "the second step has still had no answer to another message");
    }

    [Fact]
    public void Where_messages_are_rare_a_step_ends_with_its_interval_and_what_it_has()
    {
        _course.Open(0);
        Run(_course.Give(5).Single(), answered: true, 5);
        Run(_course.Give(5.1).Single(), answered: true, 5.1);
        Run(_course.Give(5.2)[0], answered: true, 6);

        _course.Give(10.1).ShouldBeEmpty();
        _course.Give(10.2).Count.ShouldBe(4, "nobody took the second permit of two, and the one that was taken was answered");
    }

    [Theory]
    [InlineData(2, CircuitState.HalfOpen)]
    [InlineData(4, CircuitState.Closing)]
    internal void Where_nobody_waits_any_more_three_answers_are_enough(int messages, CircuitState expected)
    {
        _course.Open(0);
        var now = 5.0;
        while (messages > 0)
        {
            foreach (var permit in _course.Give(now += 0.1).Take(messages))
            {
                messages--;
                Run(permit, answered: true, now);
            }
        }

        _course.Give(now + 5);
        _course.Give(now + 10);
        _course.Give(now + 15);

        _course.State.ShouldBe(expected);
    }

    [Fact]
    public void Permits_that_nobody_takes_say_nothing()
    {
        _course.Open(0);
        for (var now = 5; now < 100; now += 5)
        {
            _course.Give(now).Count.ShouldBe(1);
        }

        _course.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void A_closing_circuit_doubles_each_second_and_is_closed_when_there_are_enough()
    {
        _course.Resume(CircuitState.Closing, 0);
        var bySecond = new int[8];
        for (var tick = 1; _course.State == CircuitState.Closing; tick++)
        {
            foreach (var permit in _course.Give(tick / 10.0))
            {
                _course.Began(permit);
                bySecond[(tick - 1) / 10]++;
            }
        }

        bySecond.Take(6).ShouldBe([16, 32, 64, 128, 256, 512]);
        bySecond[7].ShouldBe(0);
        _course.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void A_closing_circuit_is_closed_as_soon_as_few_wait()
    {
        _course.Resume(CircuitState.Closing, 0);
        var began = 0;
        for (var tick = 1; _course.State == CircuitState.Closing; tick++)
        {
            foreach (var permit in _course.Give(tick / 10.0).Where(_ => began < 20))
            {
                began++;
                _course.Began(permit);
            }

            tick.ShouldBeLessThan(30);
        }

        _course.State.ShouldBe(CircuitState.Closed);
    }

    [Theory]
    [InlineData(CircuitState.Open, 1)]
    [InlineData(CircuitState.HalfOpen, 1)]
    internal void A_successor_goes_on_where_it_was(CircuitState state, int permits)
    {
        _course.Resume(state, 50);

        _course.State.ShouldBe(state);
        _course.Give(50).Count.ShouldBe(permits);
    }

    [Fact]
    public void A_closed_circuit_gives_nothing()
    {
        _course.Resume(CircuitState.Closed, 0);

        _course.Give(1000).ShouldBeEmpty();
    }

    private void Run(long permit, bool answered, double now)
    {
        _course.Began(permit);
        _course.Ended(permit, answered, $"message {_messages++}", now);
    }
}
