using System.Text.RegularExpressions;
using Retry.Messaging.Tests.Architecture;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Docs;

/// <summary>The decisions are numbered without gaps, and each says whether it still holds.</summary>
public sealed class DecisionTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Repository.Root, "DECISIONS.md"));

    [Fact]
    public void Are_numbered_without_gaps()
    {
        var numbers = Regex.Matches(Text, @"^## (\d+)\. ", RegexOptions.Multiline).Select(match => int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)).ToList();

        numbers.ShouldBe(Enumerable.Range(1, numbers.Count));
    }

    [Fact]
    public void Have_a_date_and_a_status()
    {
        foreach (var decision in Regex.Split(Text, @"^## ", RegexOptions.Multiline).Skip(1))
        {
            decision.ShouldMatch(@"^\d+\. .+ \(\d{4}-\d\d-\d\d\)\n\n\*\*Status\.\*\* (In force|Superseded by \d+|Not used)[.,:]");
        }
    }
}
