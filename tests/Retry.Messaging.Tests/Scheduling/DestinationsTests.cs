using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq.Scheduling;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Scheduling;

public class DestinationsTests
{
    private const int Lanes = 2;
    private static readonly TimeSpan FirstRest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider _time = new();
    private readonly Destinations _destinations;

    public DestinationsTests() => _destinations = new(FirstRest, Lanes, _time);

    [Fact]
    public async Task One_that_refuses_rests_and_others_do_not()
    {
        Refuse(await EnterAsync());

        (await EnterAsync()).Rest.ShouldBe(FirstRest);
        (await EnterAsync("another")).Rest.ShouldBeNull();
        (await _destinations.EnterAsync("orders", "another key", CancellationToken.None)).Rest.ShouldBeNull();
    }

    [Fact]
    public async Task When_it_has_rested_one_message_asks()
    {
        Refuse(await EnterAsync());
        _time.Advance(FirstRest);

        (await EnterAsync()).Rest.ShouldBeNull();
        (await EnterAsync()).Rest.ShouldBe(FirstRest);
    }

    [Fact]
    public async Task A_confirm_ends_the_rests()
    {
        Refuse(await EnterAsync());
        _time.Advance(FirstRest);
        Settle(await EnterAsync());

        (await EnterAsync()).Rest.ShouldBeNull();
        (await EnterAsync()).Rest.ShouldBeNull();
    }

    [Fact]
    public async Task Each_rest_is_twice_as_long_up_to_half_a_minute()
    {
        foreach (var seconds in new[] { 5, 10, 20, 30, 30 })
        {
            Refuse(await EnterAsync());
            _time.Advance(TimeSpan.FromSeconds(seconds - 0.1));
            (await EnterAsync()).Rest.ShouldBe(TimeSpan.FromSeconds(seconds));
            _time.Advance(TimeSpan.FromSeconds(0.1));
        }
    }

    [Fact]
    public async Task Many_that_are_refused_at_once_are_one_refusal()
    {
        Settle(await EnterAsync());
        var (one, other) = (await EnterAsync(), await EnterAsync());
        Refuse(one);
        Refuse(other);

        (await EnterAsync()).Rest.ShouldBe(FirstRest);
    }

    [Fact]
    public async Task What_was_sent_before_a_rest_and_is_not_answered_after_it_leaves_no_room_to_ask()
    {
        Settle(await EnterAsync());
        var (one, other) = (await EnterAsync(), await EnterAsync());
        Refuse(one);
        _time.Advance(FirstRest);

        (await EnterAsync()).Rest.ShouldBe(FirstRest);

        Refuse(other);
        (await EnterAsync()).Rest.ShouldBeNull();
    }

    [Fact]
    public async Task One_message_goes_ahead_and_the_others_wait_for_its_answer()
    {
        var ahead = await EnterAsync();
        var others = Enumerable.Range(0, 10).Select(_ => EnterAsync()).ToList();
        others.ShouldAllBe(other => !other.IsCompleted);

        Settle(ahead);

        (await Task.WhenAll(others).WaitAsync(Deadline)).ShouldAllBe(place => place.Rest == null);
    }

    [Fact]
    public async Task Those_who_wait_for_a_place_climb_when_it_refuses()
    {
        var ahead = await EnterAsync();
        var others = Enumerable.Range(0, 10).Select(_ => EnterAsync()).ToList();

        Refuse(ahead);

        (await Task.WhenAll(others).WaitAsync(Deadline)).ShouldAllBe(place => place.Rest == FirstRest);
    }

    [Fact]
    public async Task Above_its_window_a_message_waits_and_gets_the_next_free_place()
    {
        var held = await FillAsync();
        var next = EnterAsync();
        next.IsCompleted.ShouldBeFalse();

        Settle(held[0]);

        (await next.WaitAsync(Deadline)).Rest.ShouldBeNull();
    }

    [Fact]
    public async Task Who_waits_for_a_silent_one_climbs_when_many_wait()
    {
        await FillAsync();
        var waiting = Enumerable.Range(0, Destinations.MostWaiting + 10).Select(_ => EnterAsync()).ToList();

        await AdvanceUntilAsync(() => waiting.Exists(one => one.IsCompleted));

        await Eventually.TrueAsync(() => waiting.Count(one => one.IsCompleted) == 11, Deadline);
        waiting.Where(one => one.IsCompleted).ShouldAllBe(one => one.Result.Rest == Destinations.ShortRest);
    }

    [Fact]
    public async Task Who_waits_for_a_silent_one_waits_on_when_few_wait()
    {
        await FillAsync();
        var waiting = Enumerable.Range(0, 100).Select(_ => EnterAsync()).ToList();

        await AdvanceUntilAsync(() => _time.GetUtcNow() - _time.Start > Destinations.Hesitation * 4);

        waiting.ShouldAllBe(one => !one.IsCompleted);
    }

    [Fact]
    public async Task Who_waits_for_one_that_answers_waits_on_when_many_wait()
    {
        var held = await FillAsync();
        var waiting = Enumerable.Range(0, Destinations.MostWaiting + 10).Select(_ => EnterAsync()).ToList();

        foreach (var place in held.Take(8))
        {
            _time.Advance(Destinations.Hesitation * 0.9);
            Settle(place);
        }

        await Eventually.TrueAsync(() => waiting.Count(one => one.IsCompleted) == 8, Deadline);
        waiting.Where(one => one.IsCompleted).ShouldAllBe(one => one.Result.Rest == null);
    }

    [Fact]
    public async Task A_destination_has_its_lane_to_itself()
    {
        var held = await FillAsync();

        var other = await EnterAsync("another");

        held.ShouldAllBe(place => place.Lane == held[0].Lane);
        other.Lane.ShouldNotBe(held[0].Lane);
    }

    [Fact]
    public async Task The_lane_of_an_idle_destination_is_taken_where_none_is_free_and_one_message_goes_ahead_on_it()
    {
        var first = await EnterAsync();
        Settle(first);
        _time.Advance(TimeSpan.FromSeconds(1));
        Settle(await EnterAsync("another"));

        (await EnterAsync("a third")).Lane.ShouldBe(first.Lane);
        (await EnterAsync()).Rest.ShouldBeNull();
        EnterAsync().IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task Where_all_lanes_are_in_use_a_message_waits_for_one()
    {
        var first = await EnterAsync();
        await EnterAsync("another");
        var third = EnterAsync("a third");

        Settle(first);
        await AdvanceUntilAsync(() => third.IsCompleted);

        (await third).Lane.ShouldBe(first.Lane);
    }

    [Fact]
    public async Task A_silent_lane_is_nobodys_until_it_has_been_opened_anew()
    {
        Settle(await EnterAsync());
        var (one, other) = (await EnterAsync(), await EnterAsync());
        _destinations.Leave(one, DestinationAnswer.Silent).ShouldBeFalse();
        _destinations.Leave(other, DestinationAnswer.Silent).ShouldBeTrue();
        _time.Advance(FirstRest);

        (await EnterAsync()).Lane.ShouldNotBe(one.Lane);
        var third = EnterAsync("a third");
        third.IsCompleted.ShouldBeFalse();
        _destinations.Free(one.Lane);
        await AdvanceUntilAsync(() => third.IsCompleted);
        (await third).Lane.ShouldBe(one.Lane);
    }

    [Fact]
    public async Task A_lane_on_which_an_answer_has_come_since_stays()
    {
        Settle(await EnterAsync());
        var (one, other) = (await EnterAsync(), await EnterAsync());

        _destinations.Leave(one, DestinationAnswer.Silent).ShouldBeFalse();
        _destinations.Leave(other, DestinationAnswer.Settled).ShouldBeFalse();

        (await EnterAsync()).Lane.ShouldBe(one.Lane);
    }

    private Task<DestinationPlace> EnterAsync(string exchange = "orders") => _destinations.EnterAsync(exchange, string.Empty, CancellationToken.None).AsTask();

    private void Settle(DestinationPlace place) => _destinations.Leave(place, DestinationAnswer.Settled).ShouldBeFalse();

    private void Refuse(DestinationPlace place) => _destinations.Leave(place, DestinationAnswer.Refused).ShouldBeFalse();

    private async Task<List<DestinationPlace>> FillAsync()
    {
        Settle(await EnterAsync());
        var held = new List<DestinationPlace>();
        for (var i = 0; i < Destinations.Window; i++)
        {
            held.Add(await EnterAsync());
        }

        return held;
    }

    private Task AdvanceUntilAsync(Func<bool> condition) => Eventually.TrueAsync(
        () =>
        {
            _time.Advance(Destinations.Hesitation);
            return condition();
        },
        Deadline);
}
