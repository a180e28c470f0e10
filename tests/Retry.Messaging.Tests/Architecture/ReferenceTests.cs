using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Architecture;

/// <summary>References go one way: core &lt;- RabbitMq &lt;- {MassTransit, Operations &lt;- Cli}; Idempotency &lt;- {its stores &lt;- Cli, their rules, MassTransit}; Testing &lt;- {tests, samples}.</summary>
public class ReferenceTests
{
    private const string Testing = "Retry.Messaging.Testing";

    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Retry.Messaging"] = [],
        ["Retry.Messaging.RabbitMq"] = ["Retry.Messaging"],
        ["Retry.Messaging.Idempotency"] = [],
        ["Retry.Messaging.Idempotency.PostgreSql"] = ["Retry.Messaging.Idempotency"],
        ["Retry.Messaging.Idempotency.Sqlite"] = ["Retry.Messaging.Idempotency"],
        ["Retry.Messaging.Idempotency.Testing"] = ["Retry.Messaging.Idempotency"],
        ["Retry.Messaging.MassTransit"] = ["Retry.Messaging.RabbitMq", "Retry.Messaging.Idempotency"],
        ["Retry.Messaging.Operations"] = ["Retry.Messaging.RabbitMq"],
        ["Retry.Messaging.Cli"] = ["Retry.Messaging.Operations", "Retry.Messaging.Idempotency.PostgreSql", "Retry.Messaging.Idempotency.Sqlite"],
        ["Retry.Messaging.Testing"] = [],
        ["Retry.Messaging.Testing.Containers"] = ["Retry.Messaging.Testing"],
    };

    // Packages (by assembly) that use a library's internals fit only the version that they were built with.
    private static readonly Dictionary<string, string[]> Friends = new()
    {
        ["Retry.Messaging"] = ["Retry.Messaging.RabbitMq", "Retry.Messaging.MassTransit", "Retry.Messaging.Operations", "retryctl"],
        ["Retry.Messaging.RabbitMq"] = ["Retry.Messaging.MassTransit", "Retry.Messaging.Operations", "retryctl"],
        ["Retry.Messaging.Idempotency"] = ["Retry.Messaging.Idempotency.PostgreSql", "Retry.Messaging.Idempotency.Sqlite", "Retry.Messaging.MassTransit", "retryctl"],
        ["Retry.Messaging.Idempotency.PostgreSql"] = ["retryctl"],
        ["Retry.Messaging.Idempotency.Sqlite"] = ["retryctl"],
        ["Retry.Messaging.Idempotency.Testing"] = [],
        ["Retry.Messaging.MassTransit"] = [],
        ["Retry.Messaging.Operations"] = ["retryctl"],
        ["Retry.Messaging.Cli"] = [],
        ["Retry.Messaging.Testing"] = [],
        ["Retry.Messaging.Testing.Containers"] = [],
    };

    [Fact]
    public void Every_library_references_only_the_one_below_it()
    {
        var libraries = Repository.Projects.Where(project => project.Folder == "src").ToList();

        libraries.ShouldNotBeEmpty();
        foreach (var library in libraries)
        {
            Allowed.ShouldContainKey(library.Name, $"{library.Name} is new: say here what it may reference.");
            library.References.Except(Allowed[library.Name]).ShouldBeEmpty($"{library.Name} may reference {string.Join(", ", Allowed[library.Name])} and nothing else.");
        }
    }

    [Fact]
    public void Every_library_opens_its_internals_to_few_packages()
    {
        var libraries = Repository.Projects.Where(project => project.Folder == "src").ToList();
        var tests = Repository.Projects.Where(project => project.Folder == "tests").Select(project => project.Name).ToList();

        libraries.ShouldNotBeEmpty();
        foreach (var library in libraries)
        {
            Friends.ShouldContainKey(library.Name, $"{library.Name} is new: say here which packages may use its internals.");
            library.Friends.Except(tests).ShouldBe(Friends[library.Name], ignoreOrder: true, library.Name);
        }
    }

    [Theory]
    [InlineData("Retry.Messaging", new[] { "RabbitMQ", "MassTransit", "Spectre", "System.CommandLine" })]
    [InlineData("Retry.Messaging.RabbitMq", new[] { "MassTransit", "Spectre", "System.CommandLine" })]
    [InlineData("Retry.Messaging.Idempotency", new[] { "RabbitMQ", "MassTransit", "Microsoft.Data", "Npgsql" })]
    [InlineData("Retry.Messaging.Idempotency.PostgreSql", new[] { "RabbitMQ", "MassTransit" })]
    [InlineData("Retry.Messaging.Idempotency.Testing", new[] { "RabbitMQ", "MassTransit", "xunit", "Shouldly" })]
    [InlineData("Retry.Messaging.Idempotency.Sqlite", new[] { "RabbitMQ", "MassTransit" })]
    [InlineData("Retry.Messaging.Operations", new[] { "MassTransit", "Spectre", "System.CommandLine" })]
    [InlineData("Retry.Messaging.Cli", new[] { "MassTransit" })]
    public void A_library_knows_nothing_of_what_is_above_it(string library, string[] unwanted)
    {
        var packages = Repository.Projects.Single(project => project.Name == library).Packages;

        packages.Where(package => unwanted.Any(name => package.StartsWith(name, StringComparison.OrdinalIgnoreCase))).ShouldBeEmpty();
    }

    [Fact]
    public void The_core_does_not_mention_a_broker_client() =>
        Repository.Sources("src/Retry.Messaging").Where(file => File.ReadLines(file).Any(line => line.StartsWith("using RabbitMQ", StringComparison.Ordinal) || line.StartsWith("using MassTransit", StringComparison.Ordinal)))
            .Select(Repository.Relative).ShouldBeEmpty();

    [Fact]
    public void Only_tests_and_samples_use_the_testing_libraries() =>
        Repository.Projects.Where(project => !project.Name.StartsWith(Testing, StringComparison.Ordinal) && project.References.Any(name => name.StartsWith(Testing, StringComparison.Ordinal)))
            .ShouldAllBe(project => project.Folder == "tests" || project.Folder == "samples");

    [Fact]
    public void Nobody_references_tests() =>
        Repository.Projects.SelectMany(project => project.References).Where(name => name.EndsWith("Tests", StringComparison.Ordinal)).ShouldBeEmpty();
}
