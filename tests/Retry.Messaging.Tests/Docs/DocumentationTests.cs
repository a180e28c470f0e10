using System.Text.RegularExpressions;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.Tests.Architecture;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Docs;

public sealed class DocumentationTests
{
    public static TheoryData<string> Pages => [.. MarkdownPage.FindAll().Select(page => page.Name)];

    /// <summary>Word for word in a file of Docs/Snippets, with the same usings: the compiler says whether they are enough.</summary>
    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_code_block_compiles_with_the_usings_that_it_shows(string page)
    {
        var files = Directory.GetFiles(Path.Combine(Repository.Root, "tests/Retry.Messaging.Tests/Docs/Snippets"), "*.cs").Select(file => Lines(File.ReadAllText(file))).ToList();
        foreach (var block in MarkdownPage.Read(page).Blocks("csharp"))
        {
            var lines = Lines(block);
            var code = string.Join('\n', lines.Where(line => !IsUsing(line)));
            var file = files.FirstOrDefault(file => string.Join('\n', file).Contains(code, StringComparison.Ordinal));

            file.ShouldNotBeNull($"{page} has a block that is in no file of Docs/Snippets, so nobody compiles it:\n{block}");
            lines.Where(IsUsing).ShouldBe(file.Where(IsUsing), $"{page}: these are the usings with which this block compiles:\n{block}");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_local_link_leads_somewhere(string page)
    {
        foreach (var link in MarkdownPage.Read(page).LocalLinks())
        {
            var target = Path.Combine(Repository.Root, Path.GetDirectoryName(page)!, link);
            (File.Exists(target) || Directory.Exists(target)).ShouldBeTrue($"{page} links to {link}, which does not exist");
        }
    }

    /// <summary>Code, tables and headings stay on their line, and so does what cannot be broken.</summary>
    [Theory]
    [MemberData(nameof(Pages))]
    public void Prose_is_wrapped_at_100_characters(string page)
    {
        const int longest = 100;
        var fenced = false;
        var generated = false;
        foreach (var (line, number) in File.ReadLines(Path.Combine(Repository.Root, page)).Select((line, index) => (line, index + 1)))
        {
            var isFence = line.TrimStart().StartsWith("```", StringComparison.Ordinal);
            fenced ^= isFence;
            // what 'make bench' has written
            generated = line.StartsWith("<!-- bench", StringComparison.Ordinal) || (generated && !line.StartsWith("<!-- end", StringComparison.Ordinal));
            var isProse = !generated && !fenced && !isFence && !line.StartsWith("    ", StringComparison.Ordinal) && !line.StartsWith('|') && !line.StartsWith('#');
            var isOnePiece = Regex.Matches(line, @"`[^`]*`|\[[^\]]*\]\([^)]*\)|\S+").Any(piece => piece.Length > longest - 20);
            (isProse && !isOnePiece && line.Length > longest).ShouldBeFalse($"{page}:{number} has {line.Length} characters, at most {longest} are read with ease: wrap it.");
        }
    }

    /// <summary>'make bench' gathers them; a figure that is changed by hand, above or below, does not pass for a measured one.</summary>
    [Fact]
    public void The_first_table_about_performance_has_every_target_that_was_measured()
    {
        var sections = File.ReadAllText(Path.Combine(Repository.Root, "docs/performance.md")).Split("<!-- end of targets -->");
        static IEnumerable<string> Targets(string text) => Regex.Matches(text, @"^\| target \|.*\n\| ---.*\n((\|.*\n)+)", RegexOptions.Multiline).SelectMany(match => Lines(match.Groups[1].Value));

        Targets(sections[0]).ShouldBe(Targets(sections[1]));
        Targets(sections[1]).Count().ShouldBeGreaterThan(5);
    }

    [Fact]
    public void Every_category_of_the_log_that_is_named_exists()
    {
        string[] names = [.. new[] { typeof(RetryDelivery), typeof(GradientRetryOptions), typeof(RetryRules) }.SelectMany(type => type.Assembly.GetTypes()).Select(type => type.FullName + ".")];
        var categories = Regex.Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs/telemetry.md")), @"\| `(Retry\.Messaging[\w.]*)` \|").Select(match => match.Groups[1].Value).Distinct().ToList();

        categories.Count.ShouldBeGreaterThan(2);
        categories.ShouldAllBe(category => names.Any(name => name.StartsWith(category + ".", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_readme_shows_the_registration_and_a_policy()
    {
        MarkdownPage.Read("README.md").Blocks("csharp").Count.ShouldBeGreaterThanOrEqualTo(3);
    }

    private static bool IsUsing(string line) => line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';') && !line.Contains('=', StringComparison.Ordinal);

    private static List<string> Lines(string code) => [.. code.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];
}
