using System.Text.Json.Serialization;

namespace Retry.Messaging.Operations.Rules;

/// <summary>One time that a rule replays.</summary>
/// <param name="Plan">The plan's id, which follows from what the run is for.</param>
/// <param name="For">The slot, the opening of the circuit, or when the build was seen everywhere.</param>
internal sealed record RuleRun(string Plan, DateTimeOffset For)
{
    /// <summary>How far it is.</summary>
    public RuleRunState State { get; init; }

    /// <summary>Which service began it.</summary>
    public required string By { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>How many messages the plan has.</summary>
    public int? Count { get; init; }

    /// <summary>How many it has moved.</summary>
    public int? Moved { get; init; }

    /// <summary>When it came to its end, as far as is known.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Why it was given up.</summary>
    public string? Why { get; init; }

    /// <summary>Whether nothing more comes of it.</summary>
    [JsonIgnore]
    public bool IsOver => State is not (RuleRunState.Claimed or RuleRunState.Begun);
}
