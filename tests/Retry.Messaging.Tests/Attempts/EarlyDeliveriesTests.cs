using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Strategies;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Tests.Fakes;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Attempts;

/// <summary>What happens to a delivery that came before it was due.</summary>
public sealed class EarlyDeliveriesTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 29, 12, 0, 0, TimeSpan.Zero));
    private readonly RetryMetrics _metrics = new();
    private readonly LogLines _log = new(string.Empty);
    private readonly List<string> _steps = [];
    private readonly ReleasedMessages _released = new("orders");
    private readonly EarlyDeliveries _early;

    public EarlyDeliveriesTests() => _early = new EarlyDeliveries("orders", _released, _clock, _log);

    [Fact]
    public async Task What_is_due_is_consumed()
    {
        (await SendBackAsync(Delivery(dueIn: TimeSpan.Zero))).ShouldBeFalse();

        _steps.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_rest_below_a_step_is_waited_for_in_place()
    {
        var sent = SendBackAsync(Delivery(dueIn: TimeSpan.FromMilliseconds(200)));
        _clock.Advance(TimeSpan.FromMilliseconds(199));
        sent.IsCompleted.ShouldBeFalse();
        _clock.Advance(TimeSpan.FromMilliseconds(1));

        (await sent.WaitAsync(Deadline)).ShouldBeFalse();

        _steps.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_longer_rest_climbs_again_after_a_second_and_that_is_said_once_a_minute()
    {
        for (var i = 0; i < 3; i++)
        {
            var delivery = Delivery(dueIn: TimeSpan.FromSeconds(10));
            var sent = SendBackAsync(delivery);
            _clock.Advance(TimeSpan.FromMilliseconds(999));
            sent.IsCompleted.ShouldBeFalse();
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            (await sent.WaitAsync(Deadline)).ShouldBeTrue();
            delivery.Climbed!.Delay.ShouldBe(TimeSpan.FromSeconds(9));
        }

        _steps.ShouldBe(Enumerable.Repeat<string[]>(["climbs", "settled", "ended"], 3).SelectMany(steps => steps));
        _log.Written.ShouldHaveSingleItem().ShouldStartWith("Warning: orders: 1 came 00:00:09 before it was due and climbs again; early deliveries so far: 1.");
    }

    /// <summary>The broker's clock says that it left the ladder when it was due; ours is a minute behind.</summary>
    [Fact]
    public async Task A_clock_that_is_behind_holds_nothing_back()
    {
        var sent = SendBackAsync(Delivery(dueIn: TimeSpan.FromMinutes(1), leftIn: TimeSpan.FromMinutes(1)));

        // the clock does not move
        (await sent.WaitAsync(Deadline)).ShouldBeFalse();
        _steps.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_was_meant_to_come_by_goes_up_again_at_once_and_nothing_is_said()
    {
        var delivery = Delivery(dueIn: TimeSpan.FromMinutes(1), comesByIn: TimeSpan.Zero);

        // the clock does not move
        (await SendBackAsync(delivery).WaitAsync(Deadline)).ShouldBeTrue();

        delivery.Climbed!.Delay.ShouldBe(TimeSpan.FromMinutes(1));
        _steps.ShouldBe(["climbs", "settled", "ended"]);
        _log.Written.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_came_sooner_than_it_was_meant_to_come_by_was_cut_short()
    {
        var sent = SendBackAsync(Delivery(dueIn: TimeSpan.FromMinutes(1), comesByIn: TimeSpan.FromSeconds(2)));

        sent.IsCompleted.ShouldBeFalse();
        _clock.Advance(TimeSpan.FromSeconds(1));
        (await sent.WaitAsync(Deadline)).ShouldBeTrue();
        _log.Written.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task What_waits_since_before_a_release_is_consumed(int secondsLater, bool goes)
    {
        var delivery = Delivery(dueIn: TimeSpan.FromMinutes(1), comesByIn: TimeSpan.Zero);
        var moment = delivery.State.WaitsSince!.Value - TimeSpan.FromSeconds(secondsLater);
        _released.Apply(new ReleaseDocument("orders", moment).Write(1, "ann", moment));

        (await SendBackAsync(delivery).WaitAsync(Deadline)).ShouldBe(!goes);
    }

    [Fact]
    public async Task A_release_that_makes_no_sense_or_is_another_points_releases_nothing()
    {
        var later = _clock.GetUtcNow().AddHours(1);
        _released.Apply(new ControlRecord(ReleaseDocument.Kind, "orders", 1, "no"u8.ToArray()));
        _released.Apply(new ReleaseDocument("others", later).Write(2, "ann", later));

        (await SendBackAsync(Delivery(dueIn: TimeSpan.FromMinutes(1), comesByIn: TimeSpan.Zero)).WaitAsync(Deadline)).ShouldBeTrue();
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _log.Dispose();
    }

    private Task<bool> SendBackAsync(RecordedDelivery delivery) =>
        _early.SendBackAsync(delivery, _ => new RecordedAttempt(_steps, consumed: false), CancellationToken.None);

    private RecordedDelivery Delivery(TimeSpan dueIn, TimeSpan? leftIn = null, TimeSpan? comesByIn = null) => new(_steps)
    {
        Telemetry = _metrics.Point(this, "orders", _clock),
        State = RetryState.Fresh with
        {
            Id = "1",
            Attempt = 2,
            DueAt = _clock.GetUtcNow() + dueIn,
            ComesByAt = _clock.GetUtcNow() + comesByIn,
            History = RetryHistory.Empty.With(new RetryAttempt(1, _clock.GetUtcNow() - TimeSpan.FromSeconds(1), "host", "TimeoutException", "silent")),
        },
        LeftAt = _clock.GetUtcNow() + leftIn,
    };
}
