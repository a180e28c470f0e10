using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Breaker;
using Retry.Messaging.Configuration;
using Retry.Messaging.Decisions;
using Retry.Messaging.RabbitMq.Circuit;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Circuit;

/// <summary>Where deliveries wait until they may begin: a clock, and no broker.</summary>
public sealed class PointCircuitTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly FakeTimeProvider _clock = new();
    private readonly TaskCompletionSource _stopping = new();
    private readonly PointHealth _health;
    private readonly PointCircuit _circuit;
    private RetryRules _rules = RetryRules.Create(retry => retry.Breaker());
    private long _version;

    public PointCircuitTests()
    {
        _health = new PointHealth("orders", _clock);
        _circuit = new PointCircuit("orders", () => _rules, _health, _clock, NullLogger.Instance);
    }

    [Fact]
    public async Task While_it_is_closed_a_delivery_begins_at_once()
    {
        var entered = EnterAsync();

        entered.IsCompleted.ShouldBeTrue();
        (await entered).ShouldBe(Passage.Free);
        _health.Circuit!().ShouldBe((0, 0, false));
    }

    [Fact]
    public async Task The_one_with_fewest_probes_and_attempts_begins_first()
    {
        Become(CircuitState.Open);
        var probed = EnterAsync(probes: 1, attempt: 1);
        var second = EnterAsync(attempt: 2);
        var first = EnterAsync(attempt: 1);
        var later = EnterAsync(attempt: 1);
        var cameBack = EnterAsync(attempt: 1, cameBack: true);
        _health.Circuit!().ShouldBe((1, 5, false));

        foreach (var (waiter, number) in new[] { (first, 1), (later, 2), (second, 3), (probed, 4), (cameBack, 5) })
        {
            _circuit.TryGive(new Permit(number, "judge", IsProbe: true)).ShouldBeTrue();
            (await waiter.WaitAsync(Deadline)).Permit!.Number.ShouldBe(number);
        }

        _circuit.TryGive(new Permit(6, "judge", IsProbe: true)).ShouldBeFalse("nobody waits");
        _health.Circuit!().ShouldBe((1, 0, false));
    }

    [Fact]
    public async Task What_has_waited_for_too_long_makes_room_and_takes_no_permit()
    {
        Become(CircuitState.Open);
        var entered = EnterAsync();
        _clock.Advance(Patience);

        (await entered.WaitAsync(Deadline)).IsAside.ShouldBeTrue();
        _circuit.TryGive(new Permit(1, "judge", IsProbe: true)).ShouldBeFalse();
    }

    [Fact]
    public async Task When_the_endpoint_stops_it_goes_back_untouched()
    {
        Become(CircuitState.Open);
        var entered = EnterAsync();
        _stopping.SetResult();

        await Should.ThrowAsync<OperationCanceledException>(entered.WaitAsync(Deadline));
        _circuit.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task When_it_closes_all_that_wait_begin()
    {
        Become(CircuitState.Open);
        Task<Passage>[] waiting = [EnterAsync(), EnterAsync()];
        _health.Troubles().ShouldHaveSingleItem().ShouldContain("The circuit is open");
        Become(CircuitState.Closed);

        (await Task.WhenAll(waiting).WaitAsync(Deadline)).ShouldAllBe(passage => passage == Passage.Free);
        _health.Troubles().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_breaker_that_an_operator_takes_away_holds_nothing_back()
    {
        Become(CircuitState.Open);
        var entered = EnterAsync();
        _rules = RetryRules.Create(_ => { });
        _circuit.Free();

        (await entered.WaitAsync(Deadline)).ShouldBe(Passage.Free);
    }

    [Fact]
    public async Task Where_nobody_judges_for_half_a_minute_deliveries_begin_until_somebody_does()
    {
        Become(CircuitState.Open);
        var entered = EnterAsync();
        _circuit.Judged(TimeSpan.FromSeconds(29));
        entered.IsCompleted.ShouldBeFalse();
        _circuit.Judged(TimeSpan.FromSeconds(30));

        (await entered.WaitAsync(Deadline)).ShouldBe(Passage.Free);
        _circuit.IsOpen.ShouldBeFalse();
        _circuit.Judged(TimeSpan.Zero);
        _circuit.IsOpen.ShouldBeTrue();
    }

    [Fact]
    public void A_cap_holds_where_nobody_gives_permits()
    {
        _rules = RetryRules.Create(retry => retry.LimitDelivery(5));
        var entered = EnterAsync();
        _circuit.Judged(TimeSpan.FromMinutes(1));

        entered.IsCompleted.ShouldBeFalse();
        _circuit.IsOpen.ShouldBeFalse("what comes back from a process that died is a suspect as ever");
    }

    [Theory]
    [InlineData(CircuitState.Open, 0, true)]
    [InlineData(CircuitState.HalfOpen, 9, true)]
    [InlineData(CircuitState.Open, 10, false)]
    [InlineData(CircuitState.Closed, 0, false)]
    internal void What_only_waited_is_no_suspect_and_what_is_poison_is_parked_all_the_same(CircuitState state, int crashes, bool expected)
    {
        Become(state);
        var gate = new CircuitGate(_circuit, () => _rules, () => Patience, _clock);

        gate.Excuses(RetryState.Fresh with { Crashes = crashes }, new CrashSuspicion()).ShouldBe(expected);
    }

    [Fact]
    public void What_nobody_understands_changes_nothing()
    {
        Become(CircuitState.Open);
        _circuit.Apply(new ControlRecord(CircuitDocument.Kind, "orders", ++_version, "no json"u8.ToArray()));

        _circuit.IsOpen.ShouldBeTrue();
        _circuit.LatestVersion.ShouldBe(2, "the next one that is written must be later");
    }

    private void Become(CircuitState state) => _circuit.Apply(new CircuitDocument("orders", state) { Version = ++_version, Why = "12 of 12 failed" }.Write());

    private Task<Passage> EnterAsync(int probes = 0, int attempt = 1, bool cameBack = false) =>
        _circuit.EnterAsync(RetryState.Fresh with { Probes = probes, Attempt = attempt }, cameBack, Patience, _stopping.Task, CancellationToken.None).AsTask();
}
