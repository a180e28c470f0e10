using Retry.Messaging.Operations.Rules;

namespace Retry.Messaging.Cli.Commands.Rules;

/// <summary>A rule as JSON shows it.</summary>
internal sealed record RuleDocument(
    string Point,
    string Name,
    string State,
    string? Cron,
    string? TimeZone,
    double? ClosedForSeconds,
    string? Build,
    IReadOnlyList<string> Conditions,
    double? PerSecond,
    int? Times,
    int? Limit,
    DateTimeOffset? Next,
    string? SetBy,
    DateTimeOffset? SetAt,
    string? Why,
    string? RestsBy,
    DateTimeOffset? RestsAt,
    string? RestsWhy,
    IReadOnlyList<RuleRunDocument> Runs,
    string? Trouble)
{
    public static RuleDocument Of(RuleReport report)
    {
        var rule = report.Entry.Rule;
        var rests = rule?.Removed ?? rule?.Paused;
        return new(
            report.Entry.Point,
            report.Entry.Name,
            RuleAnswer.StateOf(report.Entry).ToLowerInvariant(),
            rule?.Trigger.Cron,
            rule?.Trigger.Cron is null ? null : rule.Trigger.TimeZone ?? "UTC",
            rule?.Trigger.ClosedFor?.TotalSeconds,
            rule?.Trigger.Build,
            rule?.Conditions.Words() ?? [],
            rule?.PerSecond,
            rule?.Times,
            rule?.Limit,
            report.Next,
            rule?.Set.By,
            rule?.Set.At,
            rule?.Set.Why,
            rests?.By,
            rests?.At,
            rests?.Why,
            [.. (rule?.Runs ?? []).Select(RuleRunDocument.Of)],
            report.Trouble);
    }
}
