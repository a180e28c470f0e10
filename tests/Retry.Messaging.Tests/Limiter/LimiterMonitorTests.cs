using Microsoft.Extensions.Logging;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Limiter;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Limiter;

/// <summary>What is worth a line in the log.</summary>
public class LimiterMonitorTests
{
    private readonly Lines _lines = new();
    private readonly LimiterMonitor _monitor;

    public LimiterMonitorTests() => _monitor = new LimiterMonitor("orders", TimeProvider.System, _lines);

    [Fact]
    public void A_first_failure_to_start_is_a_state_and_the_second_is_said()
    {
        _monitor.Is(LimiterActivity.Down, "541 INTERNAL_ERROR");
        _monitor.Status.Reason.ShouldBe("541 INTERNAL_ERROR");
        _lines.ShouldBeEmpty();

        _monitor.Is(LimiterActivity.Down, "541 INTERNAL_ERROR");
        _lines.ShouldHaveSingleItem().ShouldContain("541 INTERNAL_ERROR");
    }

    [Fact]
    public void One_that_ran_is_missed_at_once_and_one_that_is_stopped_is_not()
    {
        _monitor.Is(LimiterActivity.StandingBy, null);
        _lines.Clear();
        _monitor.Is(LimiterActivity.Down, "the connection closed");
        _lines.ShouldHaveSingleItem().ShouldStartWith("Warning");

        _monitor.Is(LimiterActivity.StandingBy, null);
        _lines.Clear();
        _monitor.HasEnded();
        _lines.ShouldHaveSingleItem().ShouldStartWith("Information");
    }

    [Fact]
    public void An_active_one_says_its_rate_also_where_there_is_none()
    {
        _monitor.Applied(new LimiterSetting { Point = "orders" }, limit: null);
        _monitor.Is(LimiterActivity.Active, null);
        _lines.ShouldHaveSingleItem().ShouldEndWith("it releases at any rate, because no limit is set");

        _lines.Clear();
        _monitor.Is(LimiterActivity.StandingBy, null);
        _monitor.Applied(new LimiterSetting { Point = "orders" }, new RedeliveryLimit(2.5, 1));
        _monitor.Is(LimiterActivity.Active, null);
        _lines[^1].ShouldEndWith("it releases at most 2.5/s");

        _monitor.Is(LimiterActivity.StandingBy, null);
        _monitor.Applied(new LimiterSetting { Point = "orders" }, limit: null);
        _monitor.Budget = static () => 3;
        _monitor.Is(LimiterActivity.Active, null);
        _lines[^1].ShouldEndWith("it releases as fast as its retry budget allows");
    }

    [Fact]
    public void That_nobody_is_heard_is_said_once_until_somebody_is()
    {
        _monitor.Hears(isUnheard: false);
        _monitor.Hears(isUnheard: true);
        _monitor.Hears(isUnheard: true);
        _lines.ShouldHaveSingleItem().ShouldContain("orders: no instance is heard that tells of successes");

        _monitor.Hears(isUnheard: false);
        _monitor.Hears(isUnheard: true);
        _lines.Count.ShouldBe(2);
    }

    private sealed class Lines : List<string>, ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Add($"{logLevel}: {formatter(state, exception)}");
    }
}
