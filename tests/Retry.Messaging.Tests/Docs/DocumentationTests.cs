using Retry.Messaging.Tests.Architecture;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Docs;

public sealed class DocumentationTests
{
    public static TheoryData<string> Pages => [.. MarkdownPage.FindAll().Select(page => page.Name)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_code_block_compiles(string page)
    {
        var compiled = Squeeze(File.ReadAllText(Path.Combine(Repository.Root, "tests/Retry.Messaging.Tests/Docs/DocumentationSnippets.cs")));

        foreach (var block in MarkdownPage.Read(page).Blocks("csharp"))
        {
            compiled.ShouldContain(Squeeze(block), customMessage: $"{page} has a block that is not in DocumentationSnippets.cs, so nobody compiles it:\n{block}");
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

    [Fact]
    public void The_readme_shows_the_registration_and_a_policy()
    {
        MarkdownPage.Read("README.md").Blocks("csharp").Count.ShouldBeGreaterThanOrEqualTo(3);
    }

    private static string Squeeze(string code) => string.Join('\n', code.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0));
}
