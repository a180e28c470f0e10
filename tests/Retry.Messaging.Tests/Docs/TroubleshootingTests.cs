using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Retry.Messaging.MassTransit;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Architecture;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Docs;

/// <summary>docs/troubleshooting.md is found by the text that somebody reads, so its texts are those of the code, and none is missing.</summary>
public sealed partial class TroubleshootingTests
{
    private static readonly string[] OfOthers = ["R-FAULT", "Cannot forward any dead-letter messages", "unknown exchange type", "retry.v1.lost"];

    // what is wrong with a setting is said in the finding's own words
    private static readonly string[] WithoutWords = ["{Finding}"];

    public static TheoryData<string> Quoted => [.. QuotedTexts().Where(text => !OfOthers.Any(other => text.Contains(other, StringComparison.Ordinal)))];

    public static TheoryData<string> Logged => [.. LoggedTexts().Except(WithoutWords)];

    [Theory]
    [MemberData(nameof(Quoted))]
    public void Every_text_that_the_page_quotes_is_in_the_code(string text)
    {
        var sources = string.Join('\n', Repository.Sources("src").Select(File.ReadAllText));
        foreach (var part in PartsOf(text))
        {
            sources.ShouldContain(part, Case.Insensitive, $"docs/troubleshooting.md quotes '{text}', and nothing says '{part}'.");
        }
    }

    [Theory]
    [MemberData(nameof(Logged))]
    public void Every_warning_and_error_of_the_log_is_on_the_page(string template) =>
        QuotedTexts().Select(PartsOf).Any(parts => parts.Count > 0 && parts.All(part => template.Contains(part, StringComparison.OrdinalIgnoreCase)))
            .ShouldBeTrue($"Nothing that docs/troubleshooting.md quotes is in the log's '{template}'.");

    /// <summary>Whoever filters a log by number means one kind of line.</summary>
    [Fact]
    public void Each_kind_of_log_line_has_a_number_of_its_own() =>
        typeof(LogEvents).GetFields().Select(field => (int)field.GetRawConstantValue()!).ShouldBeUnique();

    // the tables whose first column is what somebody reads
    private static IEnumerable<string> QuotedTexts()
    {
        var isTable = false;
        foreach (var line in File.ReadLines(Path.Combine(Repository.Root, "docs/troubleshooting.md")))
        {
            isTable = line.StartsWith('|') && (isTable || line.StartsWith("| you read |", StringComparison.Ordinal));
            foreach (var match in isTable ? Code().Matches(line.Split('|')[1]) : Enumerable.Empty<Match>())
            {
                yield return match.Groups[1].Value;
            }
        }
    }

    // '…' stands for anything, N and 'QUEUE' for a number and a name
    private static IReadOnlyList<string> PartsOf(string text) =>
        [.. text.Split(['…', '\''], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(part => part.StartsWith("N ", StringComparison.Ordinal) ? part[2..] : part)
            .Where(part => part.Any(char.IsLower))];

    private static IEnumerable<string> LoggedTexts() => new[] { typeof(TopologyPlan).Assembly, typeof(GradientRetryOptions).Assembly }
        .SelectMany(assembly => assembly.GetTypes())
        .SelectMany(type => type.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly))
        .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>())
        .OfType<LoggerMessageAttribute>()
        .Where(message => message.Level >= LogLevel.Warning)
        .Select(message => message.Message)
        .Distinct();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
