using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Architecture;

/// <summary>Inside a library, folders use each other one way. What a folder may use stands here, and nothing else does.</summary>
public class FolderTests
{
    private static readonly Dictionary<string, Dictionary<string, string[]>> Allowed = new()
    {
        ["Retry.Messaging"] = new()
        {
            ["Breaker"] = ["Configuration"],
            ["Configuration"] = ["Http", "Outcomes", "Policies"],
            ["Decisions"] = ["Configuration", "Ladder", "Outcomes", "Policies", "Wire"],
            ["Http"] = ["Wire"],
            ["Ladder"] = [],
            ["Naming"] = ["Ladder"],
            ["Outcomes"] = [],
            ["Policies"] = [],
            ["Recurring"] = [],
            ["Wire"] = ["Outcomes"],
        },
        ["Retry.Messaging.RabbitMq"] = new()
        {
            ["Attempts"] = ["Publishing", "Strategies", "Telemetry"],
            ["Cancelling"] = ["Control", "Topology"],
            ["Circuit"] = ["Attempts", "Connections", "Control", "Health", "Pulse", "Telemetry"],
            ["Connections"] = [],
            ["Control"] = ["Connections", "Publishing"],
            ["Counting"] = [],
            ["Health"] = ["Topology"],
            ["Holding"] = ["Connections", "Management"],
            ["Instances"] = ["Connections", "Control"],
            ["Limiter"] = ["Attempts", "Circuit", "Connections", "Control", "Counting", "Holding", "Publishing", "Pulse", "Strategies", "Topology"],
            ["Listing"] = ["Connections", "Control"],
            ["Management"] = ["Connections"],
            ["Lost"] = ["Connections", "Lots", "Publishing", "Telemetry", "Topology"],
            ["Lots"] = ["Connections", "Holding", "Limiter", "Publishing", "Telemetry", "Topology"],
            ["Pulse"] = ["Connections", "Control", "Counting", "Telemetry"],
            ["Publishing"] = ["Connections", "Health", "Holding", "Telemetry", "Topology"],
            ["Recurring"] = ["Connections", "Control", "Holding", "Publishing", "Scheduling", "Topology"],
            ["Scheduling"] = ["Cancelling", "Connections", "Control", "Holding", "Publishing"],
            ["Strategies"] = ["Control"],
            ["Telemetry"] = ["Counting", "Health"],
            ["Topology"] = ["Connections"],
        },
        ["Retry.Messaging.Operations"] = new()
        {
            ["Carrying"] = ["Parking", "Plans"],
            ["Circuits"] = ["Nodes"],
            ["Delayed"] = ["Nodes", "Pulse"],
            ["Estates"] = ["Parking", "Plans"],
            ["Nodes"] = [],
            ["Parking"] = ["Plans"],
            ["Plans"] = [],
            ["Points"] = ["Delayed", "Nodes", "Plans", "Pulse", "Verification"],
            ["Policies"] = ["Nodes"],
            ["Pulse"] = [],
            ["Rules"] = ["Circuits", "Nodes", "Parking", "Plans"],
            ["Schedules"] = [],
            ["Topology"] = [],
            ["Verification"] = [],
        },
        ["Retry.Messaging.MassTransit"] = new()
        {
            ["Configuration"] = ["Endpoints", "Filters", "Idempotency", "InMemory", "Scheduling", "Transports"],
            ["Endpoints"] = ["Transports"],
            ["Faults"] = [],
            ["Filters"] = ["Faults", "Transports"],
            ["Idempotency"] = ["Filters"],
            ["InMemory"] = ["Faults", "Transports"],
            ["Scheduling"] = ["Transports"],
            ["Transports"] = ["Faults"],
        },
        ["Retry.Messaging.Cli"] = new()
        {
            ["Commands"] = ["Hosting", "Options", "Output"],
            ["Hosting"] = [],
            ["Options"] = ["Hosting"],
            ["Output"] = ["Hosting", "Options"],
        },
    };

    public static TheoryData<string> Libraries => [.. Allowed.Keys];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void A_folder_uses_only_the_folders_that_it_may_use(string library)
    {
        var found = EdgesOf(library);

        foreach (var (folder, used) in found)
        {
            Allowed[library].ShouldContainKey(folder, $"{library}/{folder} is new: say here what it may use.");
            used.Except(Allowed[library][folder]).ShouldBeEmpty($"{library}/{folder} may use {string.Join(", ", Allowed[library][folder])} and nothing else beside it.");
        }
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void No_folder_leads_back_to_itself(string library)
    {
        // what uses only folders that are taken away already is taken away, too
        var left = new Dictionary<string, string[]>(Allowed[library]);
        while (left.FirstOrDefault(folder => !folder.Value.Any(left.ContainsKey)).Key is { } next)
        {
            left.Remove(next);
        }

        left.Keys.ShouldBeEmpty("These use each other in a circle.");
    }

    [Fact]
    public void Each_folder_has_its_sentence_in_CONTRIBUTING()
    {
        var source = Path.Combine(Repository.Root, "src");
        var folders = Directory.EnumerateDirectories(source)
            .SelectMany(Directory.EnumerateDirectories)
            .Where(folder => Path.GetFileName(folder) is not ("bin" or "obj") && Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories).Any())
            .Select(folder => Path.GetRelativePath(source, folder).Replace('\\', '/'));
        var sentences = Regex.Matches(File.ReadAllText(Path.Combine(Repository.Root, "CONTRIBUTING.md")), @"^\| `(Retry[\w.]*/\w+)` \| \S", RegexOptions.Multiline).Select(match => match.Groups[1].Value);

        sentences.ShouldBe(folders, ignoreOrder: true);
    }

    private static Dictionary<string, List<string>> EdgesOf(string library)
    {
        var root = Path.Combine(Repository.Root, "src", library);
        var files = Repository.Sources($"src/{library}")
            .Select(file => (Folder: Path.GetRelativePath(root, file).Split(Path.DirectorySeparatorChar), Text: File.ReadAllText(file)))
            .Where(file => file.Folder.Length > 1)
            .GroupBy(file => file.Folder[0], file => file.Text)
            .ToDictionary(group => group.Key, group => string.Join('\n', group));
        files.ShouldNotBeEmpty();
        return files.ToDictionary(
            folder => folder.Key,
            folder => files.Keys.Where(other => other != folder.Key && Regex.IsMatch(folder.Value, $@"\b{Regex.Escape(library)}\.{other}\b")).ToList());
    }
}
