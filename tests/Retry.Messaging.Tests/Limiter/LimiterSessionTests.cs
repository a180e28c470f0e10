using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Limiter;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Limiter;

/// <summary>The loop of the limiter: a clock, queues and streams in memory, and no broker.</summary>
public sealed class LimiterSessionTests : IDisposable
{
    // what a predecessor may have caught up is waited for as well, and a timer counts whole milliseconds
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(6);

    private readonly SessionInMemory _session = new();

    private LimiterStatus Status => _session.Monitor.Status;

    [Fact]
    public async Task Nothing_is_released_before_the_settings_are_read_to_their_end()
    {
        _session.Set(perSecond: 100);
        _session.Set(paused: true);
        _session.Connection.Control.IsSlow = true;
        _session.Add("a");

        var opening = _session.OpenAsync();
        opening.IsCompleted.ShouldBeFalse();
        _session.Connection.Control.TellFollowers();
        await _session.RunAsync(await opening);

        await ShouldReleaseNothingAsync("a");
        Status.Activity.ShouldBe(LimiterActivity.Paused);
    }

    [Fact]
    public async Task Settings_that_cannot_be_read_release_nothing_and_are_told()
    {
        _session.Write(new ControlRecord(LimiterDocument.SettingKind, SessionInMemory.Names.Work, 1, "no json"u8.ToArray()));

        await _session.StartAsync("a");

        await ShouldReleaseNothingAsync("a");
        Status.Activity.ShouldBe(LimiterActivity.Down);
        Status.Reason.ShouldNotBeNull().ShouldContain("Found a setting of 'orders' that is no document of ours");
    }

    [Fact]
    public async Task Without_a_release_queue_the_command_is_named_that_makes_one()
    {
        _session.Connection.Control.IsDeclared = false;

        var missing = await _session.OpenAsync().ShouldThrowAsync<LimiterException>();

        missing.Message.ShouldStartWith("There is no queue 'orders.release'.");
        missing.Message.ShouldEndWith("'retryctl topology apply --isolated orders'.");
        _session.Connection.Control.IsDeclared.ShouldBeFalse("nobody asked for the settings");
    }

    [Fact]
    public async Task Paused_it_settles_what_is_in_flight_and_gives_back_the_rest_until_it_is_resumed()
    {
        await _session.StartAsync("a", "b", "c");
        await _session.UntilAsync(() => _session.Released.Any());

        await _session.DoAsync(() => _session.Set(paused: true));
        _session.Consumers.ShouldBe(0u);
        _session.Waiting.ShouldBeEmpty("a message is in flight");
        await _session.DoAsync(() => _session.Broker.AnswerAsync(1));

        _session.Waiting.ShouldBe(["b", "c"]);
        Status.ShouldSatisfyAllConditions(
            status => status.Activity.ShouldBe(LimiterActivity.Paused),
            status => status.Reason.ShouldBe("paused by ann; 'retryctl limiter resume orders' ends it"),
            status => status.Released.ShouldBe(1));
        await _session.PassAsync(TimeSpan.FromSeconds(10));
        _session.Released.ShouldBe(["a"]);

        await _session.DoAsync(() => _session.Set(paused: false));
        _session.Consumers.ShouldBe(1u);
        Status.Activity.ShouldBe(LimiterActivity.Active);
        await _session.UntilAsync(() => _session.Released.Count() == 3);
        _session.Released.ShouldBe(["a", "b", "c"]);
    }

    [Fact]
    public async Task A_limit_with_another_window_is_consumed_with_another_prefetch_and_one_with_the_same_is_not()
    {
        await _session.StartAsync("a", "b");
        _session.Broker.Prefetches.ShouldBe([Prefetch(SessionInMemory.Limit)]);

        await _session.DoAsync(() => _session.Set(perSecond: 2));
        Status.Limit.ShouldBe(new RedeliveryLimit(2, 1));
        _session.Broker.Prefetches.Count.ShouldBe(1);

        await _session.DoAsync(() => _session.Set(perSecond: 1000));
        _session.Broker.Prefetches.ShouldBe([Prefetch(SessionInMemory.Limit), Prefetch(new(1000, 1))]);
        _session.Consumers.ShouldBe(1u);
        await _session.UntilAsync(() => _session.Released.Count() == 2);
    }

    [Fact]
    public async Task Given_its_first_message_it_is_the_active_one_and_takes_the_whole_allowance_for_used()
    {
        await _session.StartAsync();
        await _session.PassAsync(TimeSpan.FromSeconds(10));
        Status.Activity.ShouldBe(LimiterActivity.StandingBy);
        var said = _session.Connection.Said.Appended;

        await _session.DoAsync(() => _session.Add("a"));
        var given = _session.Clock.Now;
        Status.Activity.ShouldBe(LimiterActivity.Active);
        _session.Connection.Said.Appended.ShouldBe(said + 1);
        await _session.UntilAsync(() => _session.Released.Any());

        (TimeSpan.FromTicks(_session.Connection.Left[0]) - given).ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1) + Late);
    }

    [Fact]
    public async Task What_is_known_here_is_written_again_into_a_log_that_was_made_anew()
    {
        _session.Connection.Control.IsDeclared = false;
        _session.Broker.Declare(SessionInMemory.Names.Release);

        var session = await _session.OpenAsync(new LimiterSetting { Point = SessionInMemory.Names.Work, Version = 7, PerSecond = 25, By = "ann" });

        await using var reader = await ControlLog.OpenAsync(_session.Connection.Control.Open(), declare: false, static _ => { }, static () => { }, CancellationToken.None);
        var written = LimiterDocument.ReadSetting(reader.OfKind(LimiterDocument.SettingKind).ShouldHaveSingleItem());
        (written.Version, written.PerSecond, written.By).ShouldBe((7, 25, "ann"));
        await _session.RunAsync(session);
        Status.Limit.ShouldBe(new RedeliveryLimit(25, 1));
    }

    [Fact]
    public async Task What_is_known_here_is_not_written_where_the_log_knows_it()
    {
        _session.Set(perSecond: 30);
        _session.Broker.Declare(SessionInMemory.Names.Release);

        await _session.OpenAsync(new LimiterSetting { Point = SessionInMemory.Names.Work, Version = 1, PerSecond = 25 });

        _session.Connection.Control.Appended.ShouldBe(1);
    }

    [Fact]
    public Task It_ends_with_its_connection() => ShouldEndAsync(
        () => _session.Connection.EndAsync("the connection closed: 320 CONNECTION_FORCED"),
        "the connection closed: 320 CONNECTION_FORCED");

    [Fact]
    public Task It_ends_when_the_settings_can_no_longer_be_followed() => ShouldEndAsync(
        () =>
        {
            _session.Connection.Control.Break("Stream 'settings' can no longer be read: the channel closed.");
            return Task.CompletedTask;
        },
        "Stream 'settings' can no longer be read: the channel closed.");

    [Fact]
    public Task It_ends_when_the_broker_takes_its_consumer_away() => ShouldEndAsync(
        _session.Broker.CancelConsumersAsync,
        "the broker took the consumer away; the queue was deleted, or moves to another node");

    [Fact]
    public async Task Cancelled_it_waits_five_seconds_for_confirms_and_gives_back_the_rest()
    {
        await _session.StartAsync("a", "b", "c");
        await _session.UntilAsync(() => _session.Released.Any());

        await _session.CancelAsync();
        var cancelled = _session.Clock.Now;
        _session.Consumers.ShouldBe(0u);
        _session.Waiting.ShouldBeEmpty();
        await _session.UntilAsync(() => _session.Run.IsCompleted);

        _session.Run.IsCompletedSuccessfully.ShouldBeTrue();
        (_session.Clock.Now - cancelled).ShouldBe(TimeSpan.FromSeconds(5));
        _session.Waiting.ShouldBe(["b", "c"], "what is unconfirmed goes back when the connection ends");
    }

    [Fact]
    public async Task Cancelled_it_ends_when_all_is_confirmed()
    {
        await _session.StartAsync("a", "b");
        await _session.UntilAsync(() => _session.Released.Any());

        await _session.CancelAsync();
        await _session.DoAsync(() => _session.Broker.AnswerAsync(1));

        _session.Run.IsCompletedSuccessfully.ShouldBeTrue();
        _session.Waiting.ShouldBe(["b"]);
        Status.Released.ShouldBe(1);
    }

    [Fact]
    public async Task Cancelled_it_waits_no_longer_when_its_connection_ends()
    {
        await _session.StartAsync("a");
        await _session.UntilAsync(() => _session.Released.Any());

        await _session.CancelAsync();
        await _session.DoAsync(() => _session.Connection.EndAsync("the connection closed"));

        _session.Run.IsCompletedSuccessfully.ShouldBeTrue();
    }

    public void Dispose() => _session.Dispose();

    private static ushort Prefetch(RedeliveryLimit limit) => ReleaseWindow.Prefetch(ReleaseWindow.Of(limit));

    private async Task ShouldReleaseNothingAsync(params string[] waiting)
    {
        await _session.PassAsync(TimeSpan.FromSeconds(10));
        _session.Released.ShouldBeEmpty();
        _session.Waiting.ShouldBe(waiting);
    }

    private async Task ShouldEndAsync(Func<Task> happens, string reason)
    {
        await _session.StartAsync("a");

        await _session.DoAsync(happens);

        _session.Run.IsCompleted.ShouldBeTrue("it goes on");
        (await _session.Run.ShouldThrowAsync<LimiterException>()).Message.ShouldBe(reason);
    }
}
