using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Decisions;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Attempts;

/// <summary>A message is parked, and its host stops before the Fault is out.</summary>
public sealed class FaultSendingTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly RetryMetrics _metrics = new();
    private readonly CancellationTokenSource _host = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fault_has_time_of_its_own_when_the_host_stops_before_it_or_beside_it(bool before)
    {
        if (before)
        {
            await _host.CancelAsync();
        }

        var own = default(CancellationToken);
        var written = new TaskCompletionSource();
        var sending = TryAsync(token =>
        {
            own = token;
            return written.Task;
        });
        await _host.CancelAsync();
        _clock.Advance(FaultSending.Patience - TimeSpan.FromMilliseconds(1));

        own.IsCancellationRequested.ShouldBeFalse();
        written.SetResult();
        (await sending).ShouldBeNull();
    }

    [Fact]
    public async Task It_takes_as_long_as_it_needs_while_nothing_stops()
    {
        var written = new TaskCompletionSource();
        var sending = TryAsync(_ => written.Task);
        _clock.Advance(TimeSpan.FromHours(1));

        sending.IsCompleted.ShouldBeFalse();
        written.SetResult();
        (await sending).ShouldBeNull();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_that_takes_longer_is_given_up_and_its_message_does_not_go_back(bool listens)
    {
        var sending = TryAsync(token => Simulate.EndlessWorkAsync(listens ? token : CancellationToken.None));
        await _host.CancelAsync();
        _clock.Advance(FaultSending.Patience);

        (await sending.WaitAsync(TimeSpan.FromSeconds(20))).ShouldBeOfType<TimeoutException>().Message.ShouldContain("within 10 s");
    }

    [Fact]
    public async Task One_that_cannot_be_written_is_told_by_its_cause()
    {
        var cause = new InvalidOperationException("not serializable");

        (await TryAsync(_ => throw cause)).ShouldBe(cause);
    }

    [Fact]
    public async Task A_message_goes_back_by_the_end_of_its_connection_and_not_by_that_of_its_endpoint()
    {
        var refusal = new IOException("refused");
        var stops = new OutcomeNotConfirmedException("The endpoint stops; the delivery goes back.", refusal) { EndpointStops = true };
        var lost = new OutcomeNotConfirmedException("The connection was lost.", new IOException("reset"));

        (await TryAsync(_ => throw stops)).ShouldBe(refusal);
        (await Assert.ThrowsAsync<OutcomeNotConfirmedException>(() => TryAsync(_ => throw lost))).ShouldBe(lost);
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _host.Dispose();
    }

    private Task<Exception?> TryAsync(Func<CancellationToken, Task> send) =>
        FaultSending.TryAsync(new Delivery { Telemetry = _metrics.Point(this, "orders", _clock), State = RetryState.Fresh }, send, _clock, _host.Token);

    private sealed class Delivery : RetryDelivery
    {
        public override Task HoldAsync(Func<Task> step, CancellationToken cancellationToken) => step();

        protected override string FirstId() => "1";

        protected override Task SendUpAsync(RetryDecision.Again again, CancellationToken cancellationToken) => Task.CompletedTask;

        protected override Task SendToParkingLotAsync(RetryDecision.Park park, FaultDetails fault, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
