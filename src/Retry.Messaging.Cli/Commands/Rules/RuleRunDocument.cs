using Retry.Messaging.Operations.Rules;

namespace Retry.Messaging.Cli.Commands.Rules;

/// <summary>A run of a rule as JSON shows it.</summary>
internal sealed record RuleRunDocument(
    DateTimeOffset For,
    string State,
    string Plan,
    string By,
    DateTimeOffset At,
    int? Count,
    int? Moved,
    DateTimeOffset? EndedAt,
    string? Why)
{
    public static RuleRunDocument Of(RuleRun run) => new(run.For, run.State.ToString(), run.Plan, run.By, run.At, run.Count, run.Moved, run.EndedAt, run.Why);
}
