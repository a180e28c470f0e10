using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Architecture;

/// <summary>Rules that a reader of the sources may rely on.</summary>
public partial class SourceTests
{
    private static readonly string[] HomesOfNames = ["src/Retry.Messaging/Ladder/LadderNames.cs", "src/Retry.Messaging/Naming/BrokerNames.cs", "src/Retry.Messaging/Naming/ControlHeaderNames.cs", "src/Retry.Messaging/State/RetryHeaderNames.cs"];

    // Processes of a test broker live in real time; a clock of its own would only hide what they do.
    // real processes, and a wait that is finer than the runtime's timers (only with the system's own clock)
    private static readonly string[] RealTime = ["src/Retry.Messaging.Testing/Broker/", "src/Retry.Messaging.RabbitMq/Limiter/FineDelay.cs"];

    // measures how late the machine's own sleeps end
    private const string MeasuresSleep = "tests/Retry.Messaging.BrokerTests/Limiter/Yardstick.cs";

    [Fact]
    public void Names_of_broker_objects_and_headers_are_written_in_one_place() =>
        Findings(NameLiteral(), HomesOfNames).ShouldBeEmpty("Use BrokerNames, ControlHeaderNames or RetryHeaderNames.");

    [Fact]
    public void Time_is_injected() =>
        Findings(WallClock(), RealTime).ShouldBeEmpty("Take a TimeProvider; decisions take the time itself.");

    [Fact]
    public void Nothing_waits_without_a_clock_that_can_be_replaced() =>
        Findings(Sleep(), RealTime).ShouldBeEmpty("Wait for an event, or by Task.Delay(delay, time, cancellationToken).");

    [Fact]
    public void Tests_do_not_sleep() =>
        Repository.Sources("tests").Where(file => Repository.Relative(file) != MeasuresSleep).SelectMany(file => Findings(file, ThreadSleep())).ShouldBeEmpty("Wait for an event with a deadline.");

    private static IEnumerable<string> Findings(Regex pattern, string[] except) => Repository.Sources("src")
        .Where(file => !except.Any(home => Repository.Relative(file).StartsWith(home, StringComparison.Ordinal)))
        .SelectMany(file => Findings(file, pattern));

    private static IEnumerable<string> Findings(string file, Regex pattern) => File.ReadLines(file)
        .Select((line, index) => (Line: line.TrimStart(), Number: index + 1))
        .Where(line => !line.Line.StartsWith("//", StringComparison.Ordinal) && pattern.IsMatch(line.Line))
        .Select(line => $"{Repository.Relative(file)}:{line.Number}: {line.Line}");

    [GeneratedRegex("\"[^\"]*(retry\\.v1|retry\\.parking|\\bretry-(id|origin|attempt|first-failed-at|due-at|deadline|error|history|reason|crashes|replayed|plan|kept)\\b|\\bcontrol-(key|version|by|at|repeat)\\b)")]
    private static partial Regex NameLiteral();

    [GeneratedRegex(@"\bDateTime(Offset)?\.(Utc)?Now\b|\bDateTime\.Today\b|\bStopwatch\b|\bEnvironment\.TickCount")]
    private static partial Regex WallClock();

    [GeneratedRegex(@"\bThread\.Sleep\(|\bTask\.Delay\([^,()]*\)")]
    private static partial Regex Sleep();

    [GeneratedRegex(@"\bThread\." + @"Sleep\(")]
    private static partial Regex ThreadSleep();
}
