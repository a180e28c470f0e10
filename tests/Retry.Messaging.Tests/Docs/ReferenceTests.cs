using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Configuration;
using Retry.Messaging.Tests.Architecture;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Docs;

/// <summary>What the documentation lists is what there is.</summary>
public sealed partial class ReferenceTests
{
    public static TheoryData<string> Commands => [.. MarkdownPage.FindAll().Select(page => page.Name).Where(name => name != "CHANGELOG.md" && name != "DECISIONS.md")
        .SelectMany(name => Command().Matches(Read(name)).Select(match => match.Groups["line"].Value.Trim()))
        .Distinct()];

    [Fact]
    public void The_page_on_the_scheduler_names_tests_that_exist()
    {
        var tests = string.Join('\n', Repository.Sources("tests/Retry.Messaging.BrokerTests/Scheduler").Select(File.ReadAllText));
        var named = Regex.Matches(Read("docs/scheduler.md"), @"^\| .* \| `(\w+)` \|$", RegexOptions.Multiline).Select(match => match.Groups[1].Value).ToList();

        named.Where(name => !tests.Contains($" {name}(", StringComparison.Ordinal)).ShouldBeEmpty();
        named.Count.ShouldBe(Regex.Count(tests, @"\[(Fact|Theory)\]"), "Each test of the scheduler has its row.");
    }

    [Fact]
    public void The_page_on_concepts_names_every_header_that_is_written()
    {
        var page = Read("docs/concepts.md");
        foreach (var header in typeof(RetryHeaderNames).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!).Where(name => name != RetryHeaderNames.Prefix))
        {
            page.ShouldContain($"`{header}`");
        }
    }

    [Fact]
    public void The_page_on_policies_names_every_key_of_the_settings_and_no_other()
    {
        var known = GradientRetryConfiguration.Read(new ConfigurationBuilder().AddInMemoryCollection([new("GradientRetry:Defaults:?", "?")]).Build().GetSection("GradientRetry"))
            .Findings.ShouldHaveSingleItem().Message.Split("known are ")[1].Split(", ");

        var documented = Read("docs/policies.md").Split('\n').SkipWhile(line => line != "## In appsettings").Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => Code().Matches(line.Split('|')[1]).Select(match => match.Groups[1].Value));

        documented.Distinct().ShouldBe(known, ignoreOrder: true);
    }

    /// <summary>As far as the broker, which is missing here: a word that is no command or option would be said before that.</summary>
    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Every_command_that_is_shown_can_be_typed(string line)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var words = line.Split('>')[0].Split('#')[0].Replace("|", " ", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries);

        var exitCode = await RetryCtl.InvokeAsync(words[1..], new CliHost { Out = output, Error = error, Variable = name => name == "RETRY_BOOT_PASSWORD" ? "s3cret" : null });

        // a command that is only spoken of is named without its QUEUE
        (exitCode == ExitCode.Done || ((string[])["Found no broker", "wanted --yes", "Found no choice of messages", "Found no QUEUE", "Found no PER_SECOND", "Found no NAME"]).Any(text => error.ToString().Contains(text, StringComparison.Ordinal)))
            .ShouldBeTrue($"{line}: {error}");
    }

    private static string Read(string page) => File.ReadAllText(Path.Combine(Repository.Root, page)).ReplaceLineEndings("\n");

    // at the start of inline code, or of a line of a block
    [GeneratedRegex(@"(`|^ *(\$ )?)(?<line>retryctl (topology|parked|lost|limiter) [a-z]+[^`\n]*)", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
