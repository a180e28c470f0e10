using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq.Attempts;
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
    private readonly EarlyDeliveries _early;

    public EarlyDeliveriesTests() => _early = new EarlyDeliveries("orders", _clock, _log);

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

    public void Dispose()
    {
        _metrics.Dispose();
        _log.Dispose();
    }

    private Task<bool> SendBackAsync(RecordedDelivery delivery) =>
        _early.SendBackAsync(delivery, _ => new RecordedAttempt(_steps, consumed: false), CancellationToken.None);

    private RecordedDelivery Delivery(TimeSpan dueIn, TimeSpan? leftIn = null) => new(_steps)
    {
        Telemetry = _metrics.Point(this, "orders", _clock),
        State = RetryState.Fresh with
        {
            Id = "1",
            Attempt = 2,
            DueAt = _clock.GetUtcNow() + dueIn,
            History = RetryHistory.Empty.With(new RetryAttempt(1, _clock.GetUtcNow() - TimeSpan.FromSeconds(1), "host", "TimeoutException", "silent")),
        },
        LeftAt = _clock.GetUtcNow() + leftIn,
    };
}
