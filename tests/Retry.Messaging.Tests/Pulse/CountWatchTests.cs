using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq.Pulse;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Pulse;

public class CountWatchTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly CountWatch _watch;

    public CountWatchTests() => _watch = new CountWatch("orders", static point => point.Done, _clock);

    [Fact]
    public void What_succeeded_between_two_pulses_of_a_node_counts_for_each_node_by_itself()
    {
        _watch.Hear(Pulse("a", 60_000, done: 1000)).ShouldBe(0, "what was before tells nothing of now");
        _watch.Hear(Pulse("b", 90_000, done: 7)).ShouldBe(0);

        _watch.Hear(Pulse("a", 61_000, done: 1005)).ShouldBe(5);
        _watch.Hear(Pulse("b", 91_000, done: 8)).ShouldBe(1);
        _watch.Hear(Pulse("a", 61_000, done: 1009)).ShouldBe(0, "it was heard before");
        _watch.Hear(Pulse("a", 60_500, done: 1003)).ShouldBe(0, "it comes out of turn");
        _watch.Hear(Pulse("a", 64_000, done: 1010)).ShouldBe(5, "one that was missed takes nothing along");
    }

    [Fact]
    public void All_counts_of_a_node_that_started_since()
    {
        _clock.Advance(TimeSpan.FromSeconds(10));

        _watch.Hear(Pulse("new", 2_000, done: 12)).ShouldBe(12);
    }

    [Fact]
    public void Other_points_earn_nothing_and_nonsense_little()
    {
        _watch.Hear(new PulseDocument("a", "host:1", 60_000, [new PointPulse("payments") { Done = 1 }])).ShouldBe(0);
        _watch.Hear(new PulseDocument("a", "host:1", 61_000, [new PointPulse("payments") { Done = 100 }])).ShouldBe(0);
        _watch.Hear(Pulse("b", 60_000, done: 10));
        _watch.Hear(Pulse("b", 61_000, done: 3)).ShouldBe(0);
        _watch.Hear(Pulse("b", 62_000, done: long.MaxValue)).ShouldBe(1_000_000);
    }

    [Fact]
    public void Nobody_is_heard_after_twelve_seconds_without_a_pulse_of_the_point()
    {
        _watch.IsUnheard.ShouldBeFalse("the first may be on its way");
        _clock.Advance(TimeSpan.FromSeconds(11));
        _watch.Hear(Pulse("a", 60_000, done: 1));
        _clock.Advance(TimeSpan.FromSeconds(12));
        _watch.IsUnheard.ShouldBeFalse();
        _clock.Advance(TimeSpan.FromSeconds(1));
        _watch.Hear(new PulseDocument("a", "host:1", 99_000, [new PointPulse("payments")]));

        _watch.IsUnheard.ShouldBeTrue();
    }

    private static PulseDocument Pulse(string node, long at, long done) => new(node, $"{node}:1", at, [new PointPulse("orders") { Done = done, Error = 3 }]);
}
