using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Breaker;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Circuit;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Counting;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Limiter.Gates;
using Retry.Messaging.RabbitMq.Limiter.Pacing;
using Retry.Messaging.RabbitMq.Strategies;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Fakes;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Limiter;

/// <summary>One turn of the limiter's loop: a clock, and no broker.</summary>
public sealed class ReleaseStepTests
{
    private static readonly RetryPointNames Names = RetryPointNames.For("orders");

    private static readonly RedeliveryLimit OnceAMinute = new(1.0 / 60, 1);

    private readonly FakeTimeProvider _clock = new();
    private readonly QueueBroker _broker = QueueBroker.Create();
    private readonly LimiterMonitor _monitor;
    private readonly LimiterConnectionInMemory _connection;
    private readonly ReleasedMessages _released = new(Names.Work);
    private readonly RedeliveryPacer _pacer;
    private ReleaseIntake? _intake;
    private ReleaseStep? _step;
    private CircuitDocument? _circuit;
    private readonly BudgetGate _budget;

    public ReleaseStepTests()
    {
        _pacer = new RedeliveryPacer(_clock);
        _monitor = new LimiterMonitor(Names.Work, _clock, NullLogger.Instance);
        _connection = new LimiterConnectionInMemory(_broker, _clock);
        _budget = new BudgetGate(Names.Work, pulses: null, _connection.WakeUp, _clock);
    }

    [Fact]
    public async Task Releases_one_message_when_all_gates_are_open()
    {
        await StartAsync("a", "b");

        await TurnAsync();
        _broker.Publishes.Select(one => one.Properties.MessageId).ShouldBe(["a"]);

        await TurnAsync();
        _broker.Publishes.Select(one => one.Properties.MessageId).ShouldBe(["a", "b"]);
        _intake!.First.ShouldBeNull();
    }

    [Fact]
    public async Task Releases_nothing_while_a_gate_is_closed_and_says_why()
    {
        await StartAsync("a");
        _connection.Blocked = "low on memory";

        await TurnAsync();
        _broker.Publishes.ShouldBeEmpty();
        _monitor.Status.Reason.ShouldBe("the broker takes no publishes: low on memory");

        _connection.Blocked = null;
        await TurnAsync();
        _broker.Publishes.ShouldHaveSingleItem();
        _monitor.Status.Reason.ShouldBeNull();
    }

    [Fact]
    public async Task Releases_one_message_in_an_interval_while_the_circuit_is_open()
    {
        await StartAsync("a", "b", "c");
        _circuit = new CircuitDocument(Names.Work, CircuitState.Open) { Interval = TimeSpan.FromSeconds(5), Why = "12 of 12 failed" };

        await TurnAsync();
        await TurnAsync();
        _broker.Publishes.Select(one => one.Properties.MessageId).ShouldBe(["a"]);
        _monitor.Status.Reason.ShouldBe("the circuit is open: 12 of 12 failed");

        _clock.Advance(TimeSpan.FromSeconds(5));
        await TurnAsync();
        await TurnAsync();
        _broker.Publishes.Select(one => one.Properties.MessageId).ShouldBe(["a", "b"]);

        _circuit = _circuit with { State = CircuitState.Closed };
        await TurnAsync();
        _broker.Publishes.Select(one => one.Properties.MessageId).ShouldBe(["a", "b", "c"]);
    }

    [Fact]
    public async Task Releases_nothing_while_an_operator_has_opened_the_circuit()
    {
        await StartAsync("a");
        _circuit = new CircuitDocument(Names.Work, CircuitState.Open) { Hand = CircuitHand.Open };

        await TurnAsync();
        _clock.Advance(TimeSpan.FromHours(1));
        await TurnAsync();

        _broker.Publishes.ShouldBeEmpty();
    }

    [Fact]
    public async Task Gives_back_what_was_held_for_a_good_part_of_the_consumer_timeout()
    {
        await StartAsync("a", "b");
        await _intake!.StopAsync(TimeSpan.FromSeconds(5));
        _clock.Advance(TimeSpan.FromMinutes(20) + TimeSpan.FromMilliseconds(1));

        await TurnAsync();

        _broker.Publishes.ShouldBeEmpty();
        _broker.ReadyIn(Names.Release).ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task What_only_came_by_goes_up_the_ladder_past_the_gates_of_the_rate_and_keeps_its_due_time()
    {
        var due = _clock.GetUtcNow().AddMinutes(10);
        _broker.Add(Names.Release, "waits", Waiting(due));
        _broker.Add(Names.Release, "is due");
        await StartAsync();
        _pacer.Change(OnceAMinute);

        await TurnAsync();
        await TurnAsync();

        var sent = _broker.Publishes.ShouldHaveSingleItem();
        (sent.Properties.MessageId, sent.Exchange, sent.RoutingKey).ShouldBe(("waits", "retry.v1.m", "0.0.0.0.2.0.0.0.orders.release"));
        var state = RetryHeaderReader.Read(sent.Properties.Headers, Names.Work);
        (state.DueAt, state.ComesByAt).ShouldBe((due, _clock.GetUtcNow().AddMinutes(2)));
    }

    [Fact]
    public async Task What_was_released_goes_to_work_in_its_turn_and_is_due_now()
    {
        _broker.Add(Names.Release, "waits", Waiting(_clock.GetUtcNow().AddMinutes(10)));
        _released.Apply(new ReleaseDocument(Names.Work, _clock.GetUtcNow()).Write(1, "ann", _clock.GetUtcNow()));
        await StartAsync();
        _pacer.Change(OnceAMinute);

        await TurnAsync();
        _broker.Publishes.ShouldBeEmpty();
        _pacer.Change(null);
        await TurnAsync();

        var sent = _broker.Publishes.ShouldHaveSingleItem();
        (sent.Exchange, sent.RoutingKey).ShouldBe(("retry.v1.return", "0.0.0.0.0.0.0.0.orders"));
        RetryHeaderReader.Read(sent.Properties.Headers, Names.Work).EarlyBy(_clock.GetUtcNow()).ShouldBe(TimeSpan.Zero);
    }

    private Dictionary<string, object?> Waiting(DateTimeOffset due)
    {
        var headers = new Dictionary<string, object?>();
        var state = RetryState.Fresh with
        {
            Id = "1",
            Attempt = 2,
            DueAt = due,
            ComesByAt = _clock.GetUtcNow(),
            History = RetryHistory.Empty.With(new RetryAttempt(1, _clock.GetUtcNow() - TimeSpan.FromMinutes(2), "host", "TimeoutException", "silent")),
        };
        RetryHeaderWriter.Write(headers, state, Names.Work);
        return headers;
    }

    private async Task StartAsync(params string[] ids)
    {
        foreach (var id in ids)
        {
            _broker.Add(Names.Release, id);
        }

        var visits = new ReleaseVisits(Names, static () => TimeSpan.FromMinutes(2), _released, new ClimbBook(), _clock);
        var options = new LimiterOptions { Names = Names, ConnectAsync = (_, _) => Task.FromResult(_broker.Connection), Visits = visits };
        var channel = await _broker.Connection.CreateChannelAsync();
        _intake = new ReleaseIntake(channel, Names.Release, options.Hold, _connection.WakeUp, _ => { }, _clock);
        var refusals = new RefusalGate(() => 0, _clock);
        _step = new ReleaseStep(
            options,
            _connection,
            new PassiveLook(_broker.Connection),
            _intake,
            new ReleasePublisher(channel, _connection, Names.Work, refusals, _connection.WakeUp, _clock),
            refusals,
            static () => 10,
            () => _circuit,
            _budget,
            _pacer,
            _monitor,
            _connection.WakeUp,
            _clock);
        await _intake.StartAsync(10);
        _intake.TakeIn();
        _monitor.Is(LimiterActivity.Active, null);
    }

    // what arrived has woken it, so a turn that waits ends at once
    private async Task TurnAsync()
    {
        _connection.WakeUp.Set();
        await _step!.RunAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
    }
}
