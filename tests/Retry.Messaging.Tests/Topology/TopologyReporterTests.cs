using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.RabbitMq.Topology;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Topology;

public class TopologyReporterTests
{
    private static readonly TopologyCondition Broken = new(["exchange 'retry.v1.m'"], DateTimeOffset.UnixEpoch);

    private const string Command = "retryctl topology apply --point mails --point orders";

    private readonly FakeTimeProvider _clock = new();
    private readonly Lines _lines = new();
    private readonly TopologyReporter _reporter;

    public TopologyReporterTests() => _reporter = new TopologyReporter(_clock, _lines);

    [Fact]
    public void What_stays_missing_is_said_once_and_every_ten_minutes()
    {
        for (var minute = 0; minute < 60; minute++)
        {
            _reporter.SaySeen(Broken, Command);
            _reporter.SaySeen(Broken, Command);
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        _lines.Count.ShouldBe(6);
    }

    [Fact]
    public void What_is_deleted_and_mended_all_the_time_is_one_line_a_minute()
    {
        for (var second = 0; second < 600; second++)
        {
            _reporter.SayMended(Broken, TopologyCondition.Complete, null, []);
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        _lines.Count.ShouldBe(10);
    }

    [Fact]
    public void Who_has_read_that_it_waits_also_reads_that_it_is_complete()
    {
        _reporter.SayMended(Broken, Broken, DateTimeOffset.UnixEpoch.AddSeconds(40), []);
        _clock.Advance(TimeSpan.FromSeconds(40));
        _reporter.SayMended(Broken, TopologyCondition.Complete, null, []);
        _reporter.SayMended(TopologyCondition.Complete, TopologyCondition.Complete, null, []);

        _lines.Count.ShouldBe(2);
        _lines[0].ShouldContain("1970-01-01 00:00:40Z");
        _lines[1].ShouldContain("complete again");
    }

    [Fact]
    public void The_line_names_the_parts_and_the_command_and_no_more_than_five()
    {
        _reporter.SaySeen(new([.. Enumerable.Range(0, 70).Select(i => $"queue '{i}'")], DateTimeOffset.UnixEpoch), Command);

        _lines.ShouldHaveSingleItem().ShouldContain("queue '4' and 65 more");
        _lines[0].ShouldContain($"run '{Command}'");
    }

    [Fact]
    public void A_missing_permission_is_said_once_and_is_no_difference_from_the_plan()
    {
        _reporter.SayRefused([Refusal("queue 'orders.parked'", 403, "ACCESS_REFUSED"), Refusal("queue 'mails.parked'", 403, "ACCESS_REFUSED"), Refusal("queue 'retry.v1.5s'", 406, "PRECONDITION_FAILED")]);

        _lines.Count.ShouldBe(2);
        _lines[0].ShouldContain("not as planned");
        _lines[0].ShouldContain("'retry.v1.5s'");
        _lines[1].ShouldStartWith("All exchanges and queues of the retry topology are there, but this service has no permission to declare them");
        _lines[1].ShouldContain("'orders.parked'");
    }

    [Fact]
    public void What_cannot_be_declared_is_not_said_to_be_declared_again_soon()
    {
        _reporter.SayMended(Broken, Broken, DateTimeOffset.UnixEpoch.AddSeconds(40), [Refusal("exchange 'retry.v1.m'", 403, "ACCESS_REFUSED")]);

        var line = _lines.ShouldHaveSingleItem();
        line.ShouldNotContain("declared again at");
        line.ShouldContain("ACCESS_REFUSED");
    }

    private static TopologyException Refusal(string what, ushort code, string text) =>
        TopologyException.From(what, new OperationInterruptedException(new ShutdownEventArgs(ShutdownInitiator.Peer, code, text)));

    private sealed class Lines : List<string>, ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Add(formatter(state, exception));
    }
}
