using Retry.Messaging.Operations.Plans;

namespace Retry.Messaging.Cli.Commands.Plans;

/// <summary>A plan as JSON shows it.</summary>
internal sealed record PlanDocument(
    string Id,
    string Action,
    string Queue,
    string State,
    int Count,
    string Hash,
    IReadOnlyDictionary<string, long> ByReason,
    string By,
    DateTimeOffset At,
    int Runs,
    string RunBy,
    DateTimeOffset RunAt,
    int? Moved,
    int? MayHaveBeenSent,
    double? PerSecond,
    string? To,
    string? Changes,
    bool Detached)
{
    /// <summary>The ids of the messages that may have been sent; only where it was just cancelled.</summary>
    public IReadOnlyList<string>? Doubtful { get; init; }

    public static PlanDocument Of(PlanSummary summary)
    {
        var plan = summary.Plan;
        return new(
            plan.Id,
            plan.Terms.Action.ToString().ToLowerInvariant(),
            plan.Queue,
            summary.Progress.ToString(),
            plan.Count,
            plan.Hash,
            plan.Groups,
            plan.By,
            plan.At,
            plan.Run,
            plan.RunBy,
            plan.RunAt,
            summary.Progress is PlanProgress.Running or PlanProgress.CutOff ? null : plan.Moved,
            summary.Progress == PlanProgress.Cancelled ? plan.MayHaveBeenSent : null,
            plan.Terms.PerSecond,
            plan.Terms.To,
            plan.Terms.Changes,
            plan.Terms.IsUnattended);
    }
}
