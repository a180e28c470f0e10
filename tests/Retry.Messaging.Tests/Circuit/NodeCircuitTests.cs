using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Breaker;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Circuit;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.Tests.Fakes;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Circuit;

/// <summary>A process that is set apart: a clock, and no broker.</summary>
public sealed class NodeCircuitTests : IAsyncDisposable
{
    private const string Node = "me";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _clock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Intake _intake = new();
    private readonly LogLines _log = new(string.Empty);
    private readonly PointHealth _health;
    private readonly PointCircuit _circuit;
    private readonly Task _run;
    private RetryRules _rules = RetryRules.Create(retry => retry.Breaker());
    private long _version;

    public NodeCircuitTests()
    {
        _health = new PointHealth("orders", _clock);
        _circuit = new PointCircuit("orders", () => _rules, _health, _clock, _log);
        _circuit.Own.Node = Node;
        _run = _circuit.Own.RunAsync(_intake, _stop.Token);
    }

    [Fact]
    public async Task One_that_is_named_takes_nothing_and_three_probes_that_are_answered_bring_it_back()
    {
        Name(Node);
        await Eventually.TrueAsync(() => _intake.IsClosed && _log.Written.Count == 1, Deadline);
        Should.Throw<OperationCanceledException>(() => _circuit.Own.Enter(1));
        _health.Circuit!()!.Value.IsApart.ShouldBeTrue();
        _health.Troubles().ShouldHaveSingleItem().ShouldContain("12 of 12 attempts failed in the last 3 s");
        _health.Back!().ShouldBe(0);

        for (var probe = 0; probe < ApartCourse.Answers; probe++)
        {
            await PassAsync(() => _intake.IsTaking);
            await ProbeAsync(answered: true);
        }

        await PassAsync(() => !_intake.IsClosed && _log.Written.Count == 2);
        _circuit.Own.Enter(1).ShouldBeNull();
        _health.Back!().ShouldBe(1);
        _health.Troubles().ShouldBeEmpty();
    }

    [Fact]
    public async Task While_a_probe_runs_no_other_begins()
    {
        Name(Node);
        await PassAsync(() => _intake.IsTaking);
        _intake.Take(7);
        var told = _circuit.Own.Enter(7).ShouldNotBeNull();
        var taken = _intake.Asked;

        // it hangs
        await PassAsync(TimeSpan.FromSeconds(40));
        _intake.Asked.ShouldBe(taken);
        Should.Throw<OperationCanceledException>(() => _circuit.Own.Enter(8));

        told(new PermitUse("a", false));
        _intake.End();
        await PassAsync(() => _intake.Asked > taken);
    }

    [Fact]
    public async Task Another_that_is_named_is_none_of_its_business()
    {
        Name("another");
        await PassAsync(TimeSpan.FromSeconds(10));

        _intake.IsClosed.ShouldBeFalse();
        _circuit.Own.Enter(1).ShouldBeNull();
        _circuit.Own.Apart.ShouldHaveSingleItem().Node.ShouldBe("another");
    }

    [Fact]
    public async Task Where_nobody_judges_for_thirty_seconds_it_takes_part()
    {
        Name(Node);
        await Eventually.TrueAsync(() => _intake.IsClosed, Deadline);
        await PassAsync(TimeSpan.FromMinutes(2));
        _intake.IsClosed.ShouldBeTrue("nobody could look who judges");
        _circuit.Own.Judged(TimeSpan.FromSeconds(29));
        await PassAsync(TimeSpan.FromSeconds(5));
        _intake.IsClosed.ShouldBeTrue("somebody judged 29 s ago");

        _circuit.Own.Judged(TimeSpan.FromSeconds(30));
        await PassAsync(TimeSpan.FromSeconds(2));
        await Eventually.TrueAsync(() => !_intake.IsClosed, Deadline);
        _health.Back!().ShouldBe(1, "whoever judges next lets it go");
    }

    [Fact]
    public async Task Who_is_no_longer_named_takes_part()
    {
        Name(Node);
        await Eventually.TrueAsync(() => _intake.IsClosed, Deadline);

        Name();

        await PassAsync(() => !_intake.IsClosed);
        _health.Back!().ShouldBe(0, "it has shown nothing");
    }

    [Fact]
    public async Task Without_a_breaker_it_takes_part_and_cannot_be_set_apart()
    {
        Name(Node);
        await Eventually.TrueAsync(() => _intake.IsClosed, Deadline);

        _rules = RetryRules.Create(static _ => { });

        await PassAsync(() => !_intake.IsClosed);
        _health.Back!().ShouldBeNull();
    }

    [Fact]
    public async Task While_the_circuit_of_the_cluster_is_open_it_does_not_try_itself()
    {
        _circuit.Apply(new CircuitDocument("orders", CircuitState.Open) { Version = 1 }.Write());
        Name(Node);

        await PassAsync(TimeSpan.FromSeconds(20));
        _intake.Asked.ShouldBe(0);

        _circuit.Apply(new CircuitDocument("orders", CircuitState.Closed) { Version = 2 }.Write());
        await PassAsync(() => _intake.IsTaking);
    }

    [Fact]
    public async Task On_a_new_channel_it_stays_apart_from_the_beginning_and_says_so_once()
    {
        Name(Node);
        await Eventually.TrueAsync(() => _log.Written.Count == 1, Deadline);
        await _stop.CancelAsync();
        await _run.WaitAsync(Deadline);
        using var stop = new CancellationTokenSource();
        var intake = new Intake();

        var run = _circuit.Own.RunAsync(intake, stop.Token);

        intake.IsClosed.ShouldBeTrue("before the endpoint consumes");
        await stop.CancelAsync();
        await run.WaitAsync(Deadline);
        _log.Written.ShouldHaveSingleItem();
    }

    [Fact]
    public void A_document_that_makes_no_sense_changes_nothing()
    {
        Name(Node);

        _circuit.Own.Apply(new RabbitMq.Control.ControlRecord(ApartDocument.Kind, "orders", 9, "{"u8.ToArray()));

        _circuit.Own.IsApart.ShouldBeTrue();
        _circuit.Own.LatestVersion.ShouldBe(9);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.WaitAsync(Deadline);
        _stop.Dispose();
        _log.Dispose();
    }

    private async Task ProbeAsync(bool answered)
    {
        var tag = (ulong)_intake.Asked;
        _intake.Take(tag);
        _circuit.Own.Enter(tag).ShouldNotBeNull()(new PermitUse($"message {tag}", answered));
        var asked = _intake.Asked;
        _intake.End();
        await Eventually.TrueAsync(() => !_intake.IsTaking || _intake.Asked > asked, Deadline);
    }

    private void Name(params string[] nodes)
    {
        _version++;
        ApartNode[] apart = [.. nodes.Select(node => new ApartNode(node, _version, "12 of 12 attempts failed in the last 3 s"))];
        _circuit.Own.Apply(new ApartDocument("orders", apart).Write(_version, "judge", _clock.GetUtcNow()));
    }

    private async Task PassAsync(TimeSpan time)
    {
        for (var second = Second; second <= time; second += Second)
        {
            _clock.Advance(Second);
            await Simulate.WorkAsync(TimeSpan.FromMilliseconds(2), CancellationToken.None);
        }
    }

    private Task PassAsync(Func<bool> until) => Eventually.TrueAsync(
        () =>
        {
            var isThere = until();
            if (!isThere)
            {
                _clock.Advance(Second);
            }

            return isThere;
        },
        Deadline);

    private sealed class Intake : IIntake
    {
        private Action<ulong>? _taken;
        private TaskCompletionSource? _ends;
        private int _asked;

        public bool IsClosed { get; private set; }

        public int Asked => Volatile.Read(ref _asked);

        public bool IsTaking => Volatile.Read(ref _ends) is not null;

        public Task CloseAsync(CancellationToken cancellationToken)
        {
            IsClosed = true;
            return Task.CompletedTask;
        }

        public Task OpenAsync(CancellationToken cancellationToken)
        {
            IsClosed = false;
            return Task.CompletedTask;
        }

        public async Task TakeOneAsync(Action<ulong> taken, CancellationToken cancellationToken)
        {
            var ends = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _taken = taken;
            Interlocked.Increment(ref _asked);
            Volatile.Write(ref _ends, ends);
            try
            {
                await ends.Task.WaitAsync(cancellationToken);
            }
            finally
            {
                Interlocked.CompareExchange(ref _ends, null, ends);
            }
        }

        public void Take(ulong tag) => _taken!(tag);

        public void End() => Volatile.Read(ref _ends)!.TrySetResult();
    }
}
