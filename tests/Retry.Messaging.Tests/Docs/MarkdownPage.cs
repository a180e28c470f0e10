using System.Text.RegularExpressions;
using Retry.Messaging.Tests.Architecture;

namespace Retry.Messaging.Tests.Docs;

/// <summary>A page of the documentation.</summary>
public sealed partial class MarkdownPage
{
    private readonly string _text;

    private MarkdownPage(string name, string text)
    {
        Name = name;
        _text = text;
    }

    /// <summary>The page's path below the root.</summary>
    public string Name { get; }

    public static MarkdownPage Read(string name) => new(name, File.ReadAllText(Path.Combine(Repository.Root, name)).ReplaceLineEndings("\n"));

    public static IEnumerable<MarkdownPage> FindAll() => Directory
        .EnumerateFiles(Repository.Root, "*.md", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(Repository.Root, path))
        .Where(name => !name.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or "artifacts" or ".git"))
        .Select(Read);

    /// <summary>The fenced blocks with this info string, such as <c>csharp</c> or <c>console runnable</c>.</summary>
    public IReadOnlyList<string> Blocks(string info) =>
        [.. Fence().Matches(_text).Where(match => match.Groups["info"].Value.Trim() == info).Select(match => match.Groups["code"].Value)];

    public IEnumerable<string> LocalLinks() => Link().Matches(Fence().Replace(_text, string.Empty))
        .Select(match => match.Groups["target"].Value.Split('#')[0])
        .Where(target => target.Length > 0 && !target.Contains("://", StringComparison.Ordinal));

    [GeneratedRegex(@"^```(?<info>[^\n]*)\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();
}
