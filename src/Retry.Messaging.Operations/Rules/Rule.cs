using System.Text.Json.Serialization;
using Retry.Messaging.Recurring;

namespace Retry.Messaging.Operations.Rules;

/// <summary>What is replayed by itself, and when: a document of the control log, whole, with what came of it.</summary>
/// <remarks>
/// Operators and services write the same document. So a service that is about to begin a run and an operator who pauses the rule
/// use the same version: one of them counts, and the other reads it first.
/// </remarks>
/// <param name="Point">The work queue.</param>
/// <param name="Name">Its name among the point's rules.</param>
internal sealed record Rule(string Point, string Name)
{
    /// <summary>How many runs are kept, the last first.</summary>
    public const int MostRuns = 10;

    /// <summary>What tells it from a rule of the same name that was removed, or had other times: their runs are not its own.</summary>
    public required string Id { get; init; }

    /// <summary>When it replays.</summary>
    public required RuleTrigger Trigger { get; init; }

    /// <summary>Which messages.</summary>
    public RuleConditions Conditions { get; init; } = new();

    /// <summary>How many messages go back in a second at the most; <see langword="null"/> for as many as can be.</summary>
    public double? PerSecond { get; init; }

    /// <summary>How often a message may have been replayed at the most, this replay and those by hand included.</summary>
    public int Times { get; init; } = 1;

    /// <summary>How many messages a run takes at the most; <see langword="null"/> for all.</summary>
    public int? Limit { get; init; }

    /// <summary>What came due before does not count: when it was set, or resumed.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>Who set it, when and why.</summary>
    public required RuleWord Set { get; init; }

    /// <summary>Who paused it; <see langword="null"/> where it is not paused.</summary>
    public RuleWord? Paused { get; init; }

    /// <summary>Who removed it; a document cannot be deleted.</summary>
    public RuleWord? Removed { get; init; }

    /// <summary>The last runs, the last first.</summary>
    public IReadOnlyList<RuleRun> Runs { get; init; } = [];

    /// <summary>The number of the document.</summary>
    [JsonIgnore]
    public long Version { get; init; }

    /// <summary>What it is known by in the control log; a name has no slash, and a queue may.</summary>
    [JsonIgnore]
    public string Key => KeyOf(Point, Name);

    /// <summary>The run that has not come to its end; there is one at the most.</summary>
    [JsonIgnore]
    public RuleRun? Unfinished => Runs is [{ IsOver: false } run, ..] ? run : null;

    /// <summary>The key of a rule.</summary>
    public static string KeyOf(string point, string name) => $"{name}/{point}";

    /// <summary>The id of the plan of a run: the same run has the same plan, whoever makes it.</summary>
    /// <param name="occasion">What the run is for.</param>
    public string PlanOf(string occasion) => SlotId.Derive($"rule:{Key}:{Id}:{occasion}").ToString("N");

    /// <summary>With a run that begins.</summary>
    public Rule With(RuleRun run) => this with { Runs = [run, .. Runs.Take(MostRuns - 1)] };

    /// <summary>With another state of its last run.</summary>
    public Rule WithLast(RuleRun run) => this with { Runs = [run, .. Runs.Skip(1)] };
}
