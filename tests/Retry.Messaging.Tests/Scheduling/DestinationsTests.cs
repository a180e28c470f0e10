using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq.Scheduling;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Scheduling;

public class DestinationsTests
{
    private static readonly TimeSpan FirstRest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider _time = new();
    private readonly Destinations _destinations;
    private readonly Queue<int> _held = new();

    public DestinationsTests() => _destinations = new(FirstRest, _time);

    [Fact]
    public async Task One_that_refuses_rests_and_others_do_not()
    {
        (await EnterAsync()).ShouldBeNull();
        Leave(confirmed: false);

        (await EnterAsync()).ShouldBe(FirstRest);
        (await EnterAsync("another")).ShouldBeNull();
        (await _destinations.EnterAsync("orders", "another key", CancellationToken.None)).Rest.ShouldBeNull();
    }

    [Fact]
    public async Task When_it_has_rested_one_message_asks()
    {
        await EnterAsync();
        Leave(confirmed: false);
        _time.Advance(FirstRest);

        (await EnterAsync()).ShouldBeNull();
        (await EnterAsync()).ShouldBe(FirstRest);
    }

    [Fact]
    public async Task A_confirm_ends_the_rests()
    {
        await EnterAsync();
        Leave(confirmed: false);
        _time.Advance(FirstRest);
        await EnterAsync();
        Leave(confirmed: true);

        (await EnterAsync()).ShouldBeNull();
        (await EnterAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task Each_rest_is_twice_as_long_up_to_half_a_minute()
    {
        foreach (var seconds in new[] { 5, 10, 20, 30, 30 })
        {
            (await EnterAsync()).ShouldBeNull();
            Leave(confirmed: false);
            _time.Advance(TimeSpan.FromSeconds(seconds - 0.1));
            (await EnterAsync()).ShouldBe(TimeSpan.FromSeconds(seconds));
            _time.Advance(TimeSpan.FromSeconds(0.1));
        }
    }

    [Fact]
    public async Task Many_that_are_refused_at_once_are_one_refusal()
    {
        await EnterAsync();
        await EnterAsync();
        Leave(confirmed: false);
        Leave(confirmed: false);

        (await EnterAsync()).ShouldBe(FirstRest);
    }

    [Fact]
    public async Task Above_its_places_a_silent_one_gets_nothing_more()
    {
        await FillAsync();
        var next = EnterAsync();
        next.IsCompleted.ShouldBeFalse();

        _time.Advance(Destinations.Hesitation);

        (await next.WaitAsync(Deadline)).ShouldBe(Destinations.ShortRest);
    }

    [Fact]
    public async Task Above_its_places_one_that_confirms_gets_the_next_as_soon_as_a_place_is_free()
    {
        await FillAsync();
        var next = EnterAsync();

        Leave(confirmed: true);

        (await next.WaitAsync(Deadline)).ShouldBeNull();
    }

    [Fact]
    public async Task Who_has_waited_as_long_as_the_others_are_confirmed_waits_on()
    {
        await FillAsync();
        var waiting = Enumerable.Range(0, 3).Select(_ => EnterAsync()).ToList();
        _time.Advance(Destinations.Hesitation * 0.9);
        Leave(confirmed: true);
        await Eventually.TrueAsync(() => waiting.Count(one => one.IsCompleted) == 1, Deadline);

        _time.Advance(Destinations.Hesitation * 0.5);
        await Never.TrueAsync(() => waiting.Count(one => one.IsCompleted) > 1, TimeSpan.FromMilliseconds(100));

        _time.Advance(Destinations.Hesitation);
        await Task.WhenAll(waiting).WaitAsync(Deadline);
        waiting.Count(one => one.Result == Destinations.ShortRest).ShouldBe(2);
    }

    [Fact]
    public async Task Those_who_wait_for_a_place_climb_when_it_refuses()
    {
        await FillAsync();
        var waiting = Enumerable.Range(0, 10).Select(_ => EnterAsync()).ToList();

        Leave(confirmed: false);

        (await Task.WhenAll(waiting).WaitAsync(Deadline)).ShouldAllBe(rest => rest == FirstRest);
    }

    /// <summary>A quorum queue that owes a channel 32 confirms has the broker read nothing more from its connection.</summary>
    [Fact]
    public async Task No_channel_is_owed_more_than_24_confirms_by_one_destination()
    {
        var channels = new List<int>();
        for (var i = 0; i < Destinations.Window; i++)
        {
            channels.Add((await _destinations.EnterAsync("orders", string.Empty, CancellationToken.None)).Channel);
        }

        channels.GroupBy(channel => channel).ShouldAllBe(one => one.Count() == 24);
    }

    private async Task<TimeSpan?> EnterAsync(string exchange = "orders")
    {
        var place = await _destinations.EnterAsync(exchange, string.Empty, CancellationToken.None);
        if (exchange == "orders" && place.Rest is null)
        {
            _held.Enqueue(place.Channel);
        }

        return place.Rest;
    }

    private async Task FillAsync()
    {
        for (var i = 0; i < Destinations.Window; i++)
        {
            (await EnterAsync()).ShouldBeNull();
        }
    }

    private void Leave(bool confirmed) => _destinations.Leave("orders", string.Empty, _held.Dequeue(), confirmed);
}
