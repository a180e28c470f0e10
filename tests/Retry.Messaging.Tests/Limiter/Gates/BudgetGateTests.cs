using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Limiter.Gates;
using Retry.Messaging.RabbitMq.Pulse;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Limiter.Gates;

/// <summary>What the gate of the retry budget answers to pulses: a clock, and no broker.</summary>
public sealed class BudgetGateTests
{
    private static readonly RetryBudget OneInFive = new(0.2, 0.1);

    private readonly FakeTimeProvider _clock = new();
    private readonly PulseShare _pulses;
    private readonly WakeUp _wakeUp;
    private readonly BudgetGate _gate;
    private long _at = 60_000;

    public BudgetGateTests()
    {
        _pulses = new PulseShare(_clock);
        _wakeUp = new WakeUp(_clock);
        _gate = new BudgetGate("orders", _pulses, _wakeUp, _clock);
    }

    [Fact]
    public async Task Without_a_budget_it_is_open_and_hears_nobody()
    {
        (await AskAsync()).ShouldBe(GateAnswer.Open);

        _pulses.IsWanted.ShouldBeFalse();
        (_gate.Left, _gate.IsUnheard).ShouldBe((null, false));
    }

    [Fact]
    public async Task Five_successes_anywhere_let_one_pass_and_wake_the_limiter()
    {
        _gate.Change(OneInFive);
        (await AskAsync()).IsOpen.ShouldBeFalse();
        Hear("a", done: 100);
        Hear("b", done: 500);
        (await AskAsync()).IsOpen.ShouldBeFalse("what was before counts for nothing");

        Hear("a", done: 103);
        (await AskAsync()).IsOpen.ShouldBeFalse();
        Hear("b", done: 502);
        await _wakeUp.WaitAsync(TimeSpan.FromMinutes(1), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
        (await AskAsync()).IsOpen.ShouldBeTrue();
        _gate.Left!.Value.ShouldBe(1, 0.001);

        _gate.Passed();
        (await AskAsync()).IsOpen.ShouldBeFalse();
    }

    [Fact]
    public async Task Closed_it_says_why_and_asks_again_when_the_second_is_over()
    {
        _gate.Change(OneInFive);
        _clock.Advance(TimeSpan.FromMilliseconds(300));

        var closed = await AskAsync();

        closed.Reason.ShouldBe("they wait for successes: the retry budget is 20 % of successes, at least 0.1/s");
        closed.AskAfter.ShouldBe(TimeSpan.FromMilliseconds(720));
    }

    [Fact]
    public async Task Where_nobody_is_heard_it_says_so_and_the_floor_is_all_there_is()
    {
        _gate.Change(OneInFive);
        await AskAsync();
        _clock.Advance(TimeSpan.FromSeconds(9));
        _gate.IsUnheard.ShouldBeFalse();
        (await AskAsync()).IsOpen.ShouldBeFalse();
        _clock.Advance(TimeSpan.FromSeconds(4));

        _gate.IsUnheard.ShouldBeTrue();
        (await AskAsync()).IsOpen.ShouldBeTrue();
        _gate.Passed();
        (await AskAsync()).Reason.ShouldNotBeNull().ShouldEndWith(", and no instance is heard that tells of any");

        Hear("a", done: 1);
        _gate.IsUnheard.ShouldBeFalse();
    }

    [Fact]
    public async Task It_hears_only_while_there_is_a_budget()
    {
        _gate.Change(OneInFive);
        await AskAsync();
        _pulses.IsWanted.ShouldBeTrue();

        _gate.Change(null);
        (await AskAsync()).IsOpen.ShouldBeTrue();
        _pulses.IsWanted.ShouldBeFalse();

        _gate.Change(OneInFive);
        await AskAsync();
        _gate.End();
        _pulses.IsWanted.ShouldBeFalse();
    }

    private ValueTask<GateAnswer> AskAsync() => _gate.AskAsync(CancellationToken.None);

    private void Hear(string node, long done) =>
        _pulses.Hear(node, new PulseDocument(node, $"{node}:1", ++_at, [new PointPulse("orders") { Done = done }]).Write());
}
