using System.Text;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Operations.Pulse;
using Retry.Messaging.RabbitMq.Pulse;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Pulse;

/// <summary>What nodes say, put together.</summary>
public sealed class PulseBoardTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly PulseBoard _board;

    public PulseBoardTests() => _board = new PulseBoard(_clock);

    [Fact]
    public void Rates_are_those_of_all_nodes_by_their_own_clocks()
    {
        Say("one", 1000, Payments(10));
        _board.Points().ShouldHaveSingleItem().Done.ShouldBeNull();
        Say("one", 3000, Payments(30));
        Say("two", 500, Payments(0));
        Say("two", 1000, Payments(20));

        var point = _board.Points().ShouldHaveSingleItem();

        (point.Queue, point.Nodes, point.Done, point.Error, point.InFlight).ShouldBe(("payments", 2, 10 + 40, 0, 4));
    }

    [Fact]
    public void A_pulse_that_is_missed_takes_nothing_along()
    {
        Say("one", 1000, Payments(10));
        Say("one", 11_000, Payments(110));

        _board.Points().ShouldHaveSingleItem().Done.ShouldBe(10);
    }

    [Fact]
    public void Of_what_is_said_between_two_looks_the_last_counts()
    {
        Say("one", 1000, Payments(10));
        _board.Hear("one", new PulseDocument("one", "web-1:1", 2000, [Payments(12)]).Write());
        _board.Hear("one", new PulseDocument("one", "web-1:1", 3000, [Payments(30)]).Write());

        _board.Points().ShouldHaveSingleItem().Done.ShouldBe(10);
    }

    [Fact]
    public void A_pulse_that_comes_out_of_turn_is_passed_over()
    {
        Say("one", 1000, Payments(10));
        Say("one", 2000, Payments(20));
        Say("one", 2000, Payments(900));
        Say("one", 1500, Payments(15));

        _board.Points().ShouldHaveSingleItem().Done.ShouldBe(10);
    }

    [Fact]
    public void Who_says_nothing_for_a_while_is_gone()
    {
        Say("one", 1000, Payments(10));
        _clock.Advance(PulseNodes.Silence - TimeSpan.FromSeconds(1));
        _board.Nodes.ShouldBe(["one"]);

        _clock.Advance(TimeSpan.FromSeconds(2));

        _board.Nodes.ShouldBeEmpty();
        _board.Points().ShouldBeEmpty();
    }

    [Fact]
    public void A_target_that_answers_nobody_looks_ill()
    {
        SayOverTwelveSeconds((_, second) => second < 6 ? Outcomes(done: 2 * second) : Outcomes(done: 12, error: 2 * (second - 6)));

        var health = _board.Points().ShouldHaveSingleItem().Health;

        health.Target.ShouldNotBeNull().ShouldMatch("^[0-9]+ of [0-9]+ attempts failed in the last [0-9]+ s, not counting what the 1 node with most errors has more of than the others$");
        health.Nodes.ShouldBeEmpty();
    }

    [Fact]
    public void A_node_that_fails_while_the_others_get_on_is_the_ill_one()
    {
        SayOverTwelveSeconds((node, second) => node == 0 ? Outcomes(error: 60 * second) : Outcomes(done: second));

        var health = _board.Points().ShouldHaveSingleItem().Health;

        health.Target.ShouldBeNull();
        health.Nodes.ShouldHaveSingleItem().Node.ShouldBe("web-0:1");
    }

    [Fact]
    public void A_message_that_is_refused_for_good_was_answered()
    {
        SayOverTwelveSeconds((_, second) => new PointPulse("payments") { Fail = 2 * second });

        _board.Points().ShouldHaveSingleItem().Health.Target.ShouldBeNull();
    }

    [Fact]
    public void Errors_that_are_not_the_targets_show_nothing()
    {
        SayOverTwelveSeconds((_, second) => new PointPulse("payments") { Error = 2 * second, TimedOut = second, NotOfTarget = 3 * second });

        _board.Points().ShouldHaveSingleItem().Health.Target.ShouldBeNull();
    }

    [Theory]
    [InlineData("""{"node":"n","by":"h:1","at":5,"points":[{"queue":"q","done":3,"novel":[1]}],"later":{}}""", 1)]
    [InlineData("""{"node":"n"}""", 0)]
    [InlineData("""{"node":"n","points":[null,{"done":1},{"queue":"q","climbing":[null,{"level":99,"digit":1,"count":4}]}]}""", 1)]
    public void A_reader_passes_over_what_it_does_not_know(string text, int points)
    {
        var pulse = PulseDocument.Read(Encoding.UTF8.GetBytes(text)).ShouldNotBeNull();
        pulse.Points.Count.ShouldBe(points);

        _board.Hear("n", Encoding.UTF8.GetBytes(text));

        _board.Points().Count.ShouldBe(points);
        _board.Points().SelectMany(point => point.Climbing).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"points":[]}""")]
    [InlineData("""{"node":"n","version":2}""")]
    [InlineData("""{"node":"n","at":"soon"}""")]
    public void What_is_no_pulse_is_passed_over(string text) => PulseDocument.Read(Encoding.UTF8.GetBytes(text)).ShouldBeNull();

    [Fact]
    public void What_is_written_is_read()
    {
        var point = new PointPulse("payments") { Done = 1, Error = 2, Fail = 3, TimedOut = 4, NotOfTarget = 1, InFlight = 5, Held = 6, ConsumerTime = [7, 8], Lateness = [9, 1] };
        var read = PulseDocument.Read(new PulseDocument("n", "web-1:7", 12, [point with { Climbing = [new RungPulse(4, 2, 3.5, 10, 20) { Error = 1 }] }]).Write()).ShouldNotBeNull();

        (read.Node, read.By, read.At, read.Version).ShouldBe(("n", "web-1:7", 12, PulseDocument.Known));
        var same = read.Points.ShouldHaveSingleItem();
        same.Climbing.ShouldBe([new RungPulse(4, 2, 3.5, 10, 20) { Error = 1 }]);
        same.ConsumerTime.ShouldBe([7, 8]);
        (same with { Climbing = null, ConsumerTime = point.ConsumerTime, Lateness = point.Lateness }).ShouldBe(point);
    }

    private static PointPulse Payments(long done) => new("payments") { Done = done, InFlight = 2 };

    private static PointPulse Outcomes(long done = 0, long error = 0) => new("payments") { Done = done, Error = error };

    private void SayOverTwelveSeconds(Func<int, int, PointPulse> counts)
    {
        for (var second = 0; second <= 12; second++)
        {
            for (var node = 0; node < 3; node++)
            {
                _board.Hear($"n{node}", new PulseDocument($"n{node}", $"web-{node}:1", 1000L * second, [counts(node, second)]).Write());
            }

            _ = _board.Nodes;
            _clock.Advance(TimeSpan.FromSeconds(1));
        }
    }

    // somebody looks after each
    private void Say(string node, long at, params PointPulse[] points)
    {
        _board.Hear(node, new PulseDocument(node, "web-1:1", at, points).Write());
        _ = _board.Nodes;
    }
}
