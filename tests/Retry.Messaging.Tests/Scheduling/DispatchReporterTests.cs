using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq.Scheduling;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Scheduling;

public class DispatchReporterTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly DispatchReporter _reporter;

    public DispatchReporterTests() => _reporter = new DispatchReporter(_clock, NullLogger.Instance);

    [Fact]
    public void A_dispatcher_without_a_connection_is_a_trouble_after_half_a_minute()
    {
        _reporter.StandsBy();
        _reporter.IsDown("the broker went away");
        _clock.Advance(TimeSpan.FromSeconds(29));
        _reporter.Trouble.ShouldBeNull();

        // it is said again and again, and the time counts from the first
        _reporter.IsDown("no connection");
        _clock.Advance(TimeSpan.FromSeconds(1));

        _reporter.Trouble!.ShouldContain("the broker went away");
        _reporter.StandsBy();
        _reporter.Trouble.ShouldBeNull();
    }

    [Fact]
    public void One_that_holds_messages_and_hands_none_over_does_not_get_on()
    {
        _reporter.StandsBy();
        _clock.Advance(TimeSpan.FromHours(1));
        _reporter.Trouble.ShouldBeNull();
        _reporter.IsActive();
        _reporter.IsActive();
        _clock.Advance(TimeSpan.FromSeconds(29));
        _reporter.Trouble.ShouldBeNull();

        _clock.Advance(TimeSpan.FromSeconds(1));
        _reporter.Trouble!.ShouldContain("holds 2");

        _reporter.Moved();
        _reporter.Trouble.ShouldBeNull();
        _clock.Advance(TimeSpan.FromSeconds(30));
        _reporter.Trouble!.ShouldContain("holds 1");
        _reporter.Moved();
        _clock.Advance(TimeSpan.FromHours(1));
        _reporter.Trouble.ShouldBeNull();
    }

    [Fact]
    public void What_was_held_on_a_lost_connection_is_the_brokers_again()
    {
        _reporter.StandsBy();
        _reporter.IsActive();
        _reporter.IsDown("the connection closed");
        _reporter.StandsBy();
        _reporter.IsActive();
        _reporter.Moved();
        _clock.Advance(TimeSpan.FromHours(1));

        _reporter.Trouble.ShouldBeNull();
    }
}
