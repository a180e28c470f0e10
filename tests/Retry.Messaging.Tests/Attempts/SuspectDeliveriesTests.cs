using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Decisions;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Tests.Fakes;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Attempts;

/// <summary>What happens to a delivery that came back, before it is consumed.</summary>
public sealed class SuspectDeliveriesTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly RetryMetrics _metrics = new();
    private readonly LogLines _log = new(string.Empty);
    private readonly List<string> _steps = [];
    private readonly SuspectDeliveries _suspects;

    public SuspectDeliveriesTests() => _suspects = new SuspectDeliveries(
        "orders",
        new CrashSuspicion(),
        new OutcomeSettler("orders", new RetryReporter("orders", _clock, _log), _clock, _log),
        _clock,
        new Random(1),
        _log);

    [Fact]
    public async Task A_delivery_that_nobody_had_is_consumed()
    {
        (await KeepAwayAsync(cameBack: false, died: true, crashes: 2)).ShouldBeFalse();

        _steps.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_was_only_cut_off_is_consumed_and_nothing_is_said()
    {
        (await KeepAwayAsync(cameBack: true, died: false, crashes: 0)).ShouldBeFalse();

        _steps.ShouldBeEmpty();
        _log.Written.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0, "Information: orders: 1 came back from a process that died.")]
    [InlineData(1, "Information: orders: 1 came back from a process that died.")]
    [InlineData(2, "Warning: orders: 1 was there when 3 processes died in a row, and may have killed its consumer.")]
    public async Task What_came_back_from_the_dead_is_kept_away_and_a_warning_from_the_third_death_on(int crashes, string said)
    {
        (await KeepAwayAsync(cameBack: true, died: true, crashes)).ShouldBeTrue();

        _steps.ShouldBe(["climbs", "settled", "ended"]);
        _log.Written.ShouldHaveSingleItem().ShouldStartWith(said);
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public async Task Where_deaths_are_not_known_the_brokers_count_decides(int returns, bool keptAway) =>
        (await KeepAwayAsync(cameBack: true, died: null, crashes: 0, returns)).ShouldBe(keptAway);

    [Theory]
    [InlineData(true, 10, "parked, settled, Fault")]
    [InlineData(false, 10, "read, parked, settled, Fault")]
    public async Task After_ten_deaths_it_is_parked_and_read_for_its_Fault_once(bool cameBack, int crashes, string steps)
    {
        (await KeepAwayAsync(cameBack, died: true, crashes)).ShouldBeTrue();

        string.Join(", ", _steps).ShouldBe(steps);
        _log.Written.ShouldHaveSingleItem().ShouldStartWith("Warning: orders: 1 is parked as Poison, nobody consumed it:");
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _log.Dispose();
    }

    private Task<bool> KeepAwayAsync(bool cameBack, bool? died, int crashes, int returns = 0) => _suspects.KeepAwayAsync(
        new RecordedDelivery(_steps)
        {
            Telemetry = _metrics.Point(this, "orders", _clock),
            State = RetryState.Fresh with { Id = "1", Crashes = crashes },
            CameBack = cameBack,
            Died = died,
            Returns = returns,
        },
        _ => new RecordedAttempt(_steps, consumed: false),
        _ => _steps.Add("read"),
        CancellationToken.None);
}
