using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Architecture;

/// <summary>Rules that a reader of the sources may rely on. What a library may not call stands in src/BannedSymbols.txt, for the compiler.</summary>
public partial class SourceTests
{
    private static readonly string[] HomesOfNames = ["src/Retry.Messaging/Ladder/LadderNames.cs", "src/Retry.Messaging/Naming/BrokerNames.cs", "src/Retry.Messaging/Naming/ControlHeaderNames.cs", "src/Retry.Messaging/Wire/RetryHeaderNames.cs"];

    private static readonly string[] Declarers =
    [
        "src/Retry.Messaging.RabbitMq/Topology/TopologyMending.cs",
        "src/Retry.Messaging.RabbitMq/Topology/PointDeclarations.cs",
        "src/Retry.Messaging.RabbitMq/Lost/MoverCalls.cs",
        "src/Retry.Messaging.RabbitMq/Recurring/RecurrenceTurn.cs",
        "src/Retry.Messaging.Operations/Parking/ArchiveSender.cs",
        "src/Retry.Messaging.Cli/Commands/Topology/TopologyApplyCommand.cs",
    ];

    private static readonly string[] Makers =
    [
        "src/Retry.Messaging.RabbitMq/Topology/TopologyDeclarer.cs",
        "src/Retry.Messaging.RabbitMq/Circuit/PermitQueue.cs",
        "src/Retry.Messaging.RabbitMq/Control/RecordStream.cs",
        "src/Retry.Messaging.RabbitMq/Instances/InstanceSession.cs",
        "src/Retry.Messaging.RabbitMq/Pulse/PulseExchange.cs",
        "src/Retry.Messaging.RabbitMq/Lots/WayBack.cs",
        "src/Retry.Messaging.Operations/Plans/BrokerLock.cs",
        "src/Retry.Messaging.Operations/Carrying/CarrierSign.cs",
        "src/Retry.Messaging.Operations/Topology/QueueRemoval.cs",
    ];

    private static readonly string[] Waiters = [.. new[] { "Eventually", "Never", "Scenario", "Simulate" }.Select(name => $"tests/Retry.Messaging.Tests/Waiting/{name}.cs")];

    [Fact]
    public void Names_of_broker_objects_and_headers_are_written_in_one_place() =>
        Findings(NameLiteral(), HomesOfNames).ShouldBeEmpty("Use BrokerNames, ControlHeaderNames or RetryHeaderNames.");

    /// <summary>A service declares by its keeper and by the queue of the mover's calls; an operator by apply.</summary>
    [Fact]
    public void One_place_declares_the_topology_of_a_service() =>
        Findings(Declaration(), Declarers).ShouldBeEmpty("Have the TopologyKeeper declare it.");

    /// <summary>The plan is declared by one class. A stream, an instance's sign of life, the pulse's exchange and queues, and the binding of a replay are made by who uses them.</summary>
    [Fact]
    public void Few_places_ask_the_broker_to_make_something() =>
        Findings(Making(), Makers).ShouldBeEmpty("Put it into the TopologyPlan.");

    /// <summary>A framework's project makes attempts and has them settled; it does not settle.</summary>
    [Fact]
    public void One_place_settles_a_delivery() =>
        Findings(Settling(), ["src/Retry.Messaging.RabbitMq/Attempts/"]).ShouldBeEmpty("Have the OutcomeSettler do it.");

    [Fact]
    public void Half_of_the_files_have_at_most_50_lines()
    {
        var lines = Repository.Sources("src").Select(file => File.ReadLines(file).Count()).Order().ToList();

        lines[lines.Count / 2].ShouldBeLessThanOrEqualTo(50, "Files grow: look for those in which two things live.");
    }

    /// <summary>A line that holds a text may be longer: a text that is cut in two is found by nobody.</summary>
    [Fact]
    public void Code_is_wrapped_at_160_characters() =>
        Findings(LongLine(), []).ShouldBeEmpty("Give each argument a line of its own, or a name.");

    [Fact]
    public void No_file_has_more_than_250_lines() =>
        Repository.Sources("src").Select(file => (Name: Repository.Relative(file), Lines: File.ReadLines(file).Count())).Where(file => file.Lines > 250)
            .ShouldBeEmpty("Two things live there: find the second one a name.");

    /// <summary>A bare delay does not say whether it waits for something, for nothing, or stands for work.</summary>
    [Fact]
    public void Tests_do_not_sleep() => Findings(Sleep(), Waiters, "tests")
        .ShouldBeEmpty("Wait by Eventually for what happens and by Never for what must not; Scenario pauses, Simulate stands for work.");

    private static IEnumerable<string> Findings(Regex pattern, string[] except, string folder = "src") => Repository.Sources(folder)
        .Where(file => !except.Any(home => Repository.Relative(file).StartsWith(home, StringComparison.Ordinal)))
        .SelectMany(file => Findings(file, pattern));

    private static IEnumerable<string> Findings(string file, Regex pattern) => File.ReadLines(file)
        .Select((line, index) => (Line: line.TrimStart(), Number: index + 1))
        .Where(line => !line.Line.StartsWith("//", StringComparison.Ordinal) && pattern.IsMatch(line.Line))
        .Select(line => $"{Repository.Relative(file)}:{line.Number}: {line.Line}");

    [GeneratedRegex("\"[^\"]*(retry\\.v1|retry\\.parking|\\bretry-(id|state|origin|attempt|first-failed-at|due-at|deadline|error|history|reason|crashes|replayed|plan|kept)\\b|\\bcontrol-(key|version|by|at|repeat)\\b)")]
    private static partial Regex NameLiteral();

    [GeneratedRegex("^[^\"]{161,}$")]
    private static partial Regex LongLine();

    [GeneratedRegex(@"\bTopologyDeclarer\.DeclareAsync\(")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\b(QueueDeclare|ExchangeDeclare|QueueBind|ExchangeBind)Async\(")]
    private static partial Regex Making();

    [GeneratedRegex(@"\bdelivery\.(ParkAsync|ClimbAsync)\(|\bcase RetryDecision\b")]
    private static partial Regex Settling();

    [GeneratedRegex(@"\b(Task\.Delay|Thread\.Sleep)\b")]
    private static partial Regex Sleep();
}
