using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Decisions;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Attempts;

/// <summary>What a decision makes of a delivery: the steps, in their order, without a broker and without MassTransit.</summary>
public sealed class OutcomeSettlerTests : IDisposable
{
    private static readonly Exception Failure = new TimeoutException("The gateway is silent.");

    private readonly FakeTimeProvider _clock = new();
    private readonly RetryMetrics _metrics = new();
    private readonly List<string> _steps = [];
    private readonly Recorder _log;
    private readonly OutcomeSettler _settler;
    private DateTimeOffset? _deadline;
    private bool _faultCannotBeSent;

    public OutcomeSettlerTests()
    {
        _log = new Recorder(_steps);
        _settler = new OutcomeSettler("orders", new RetryReporter("orders", _clock, _log), _clock, _log);
    }

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task A_climb_is_settled_when_it_is_confirmed_and_no_Fault_is_sent()
    {
        await SettleAsync(Again());

        _steps.ShouldBe(["climbs", "settled", "logged", "ended"]);
    }

    [Fact]
    public async Task A_parked_message_is_settled_before_its_Fault_is_sent()
    {
        await SettleAsync(Park());

        _steps.ShouldBe(["parked", "settled", "logged", "Fault"]);
    }

    [Fact]
    public async Task A_Fault_that_cannot_be_sent_ends_the_delivery_all_the_same()
    {
        _faultCannotBeSent = true;

        await SettleAsync(Park());

        _steps.ShouldBe(["parked", "settled", "logged", "Fault", "logged", "ended"]);
    }

    [Theory]
    [InlineData(1, "Fault")]
    [InlineData(-1, "ended")]
    public async Task A_dropped_request_is_answered_while_its_requester_waits(int secondsLeft, string last)
    {
        _deadline = _clock.GetUtcNow().AddSeconds(secondsLeft);

        await SettleAsync(new RetryDecision.Drop(State));

        _steps.ShouldBe(["settled", "logged", last]);
    }

    [Fact]
    public async Task What_is_done_is_ended()
    {
        await SettleAsync(new RetryDecision.Done());

        _steps.ShouldBe(["ended"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_log_that_throws_finds_the_delivery_settled(bool park)
    {
        _log.Throws = true;

        await Should.ThrowAsync<InvalidOperationException>(() => SettleAsync(park ? (RetryDecision)Park() : Again()));

        _steps.ShouldContain("settled");
    }

    [Theory]
    [InlineData(true, "after attempt 1")]
    [InlineData(false, "nobody consumed it")]
    public async Task The_log_tells_whether_a_consumer_had_it(bool consumed, string text)
    {
        await SettleAsync(Park(), consumed);

        _log.Last.ShouldContain(text);
    }

    private static RetryState State => RetryState.Fresh with { Id = "1", Error = "TimeoutException: The gateway is silent." };

    private RetryDecision.Again Again() => new RetryDecision.Again(TimeSpan.FromSeconds(5), _clock.GetUtcNow().AddSeconds(5), State);

    private static RetryDecision.Park Park() => new RetryDecision.Park(ParkReason.Exhausted, State);

    private Task SettleAsync(RetryDecision decision, bool consumed = true)
    {
        var delivery = new RecordedDelivery(_steps) { Telemetry = _metrics.Point(this, "orders", _clock), State = RetryState.Fresh, Deadline = _deadline };
        return _settler.SettleAsync(new RecordedAttempt(_steps, _faultCannotBeSent, consumed), delivery, new AttemptEnd(Failure, decision, ClimbCause.Failed(Failure)), CancellationToken.None);
    }

    private sealed class Recorder(List<string> steps) : ILogger
    {
        public bool Throws { get; set; }

        public string Last { get; private set; } = string.Empty;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (Throws)
            {
                throw new InvalidOperationException("The disk is full.");
            }

            Last = formatter(state, exception);
            steps.Add("logged");
        }
    }
}
