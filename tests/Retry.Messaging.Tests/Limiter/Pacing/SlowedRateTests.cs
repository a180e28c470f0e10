using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Limiter.Pacing;
using Retry.Messaging.RabbitMq.Pulse;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Limiter.Pacing;

/// <summary>What becomes of a rate when pulses tell of 429: a clock, and no broker.</summary>
public sealed class SlowedRateTests
{
    private static readonly RedeliveryLimit Cap = new(50, 1);

    private readonly FakeTimeProvider _clock = new();
    private readonly PulseShare _pulses;
    private readonly WakeUp _wakeUp;
    private readonly LimiterMonitor _monitor;
    private readonly SlowedRate _rate;
    private long _at = 60_000;

    public SlowedRateTests()
    {
        _pulses = new PulseShare(_clock);
        _wakeUp = new WakeUp(_clock);
        _monitor = new LimiterMonitor("orders", _clock, NullLogger.Instance);
        _rate = new SlowedRate("orders", _pulses, _wakeUp, _monitor, _clock);
    }

    [Fact]
    public async Task It_halves_when_a_node_was_answered_429_and_comes_back()
    {
        _clock.Advance(TimeSpan.FromSeconds(30));
        _rate.Of(Cap, isActive: true).ShouldBe(Cap);
        Hear(slow: 3);
        _rate.Of(Cap, isActive: true).ShouldBe(Cap, "that was before");

        Hear(slow: 4);
        await _wakeUp.WaitAsync(TimeSpan.FromMinutes(1), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
        _rate.Of(Cap, isActive: true).ShouldBe(new RedeliveryLimit(25, 1));
        _monitor.HeldBack.ShouldBe("the target asks to be called less often: 25/s of 50/s for now");

        _clock.Advance(TimeSpan.FromSeconds(15));
        _rate.Of(Cap, isActive: true)!.PerSecond.ShouldBe(37.5, 1e-6);
        _clock.Advance(TimeSpan.FromSeconds(15));
        _rate.Of(Cap, isActive: true).ShouldBe(Cap);
        _monitor.HeldBack.ShouldBeNull();
    }

    [Fact]
    public void It_hears_only_while_messages_are_released_here_at_a_rate()
    {
        _rate.Of(Cap, isActive: false);
        _pulses.IsWanted.ShouldBeFalse();
        _rate.Of(null, isActive: true).ShouldBeNull();
        _pulses.IsWanted.ShouldBeFalse();

        _rate.Of(Cap, isActive: true);
        _pulses.IsWanted.ShouldBeTrue();
        _rate.End();
        _pulses.IsWanted.ShouldBeFalse();
    }

    private void Hear(long slow) =>
        _pulses.Hear("a", new PulseDocument("a", "a:1", ++_at, [new PointPulse("orders") { Error = slow, NotOfTarget = slow, Slow = slow }]).Write());
}
