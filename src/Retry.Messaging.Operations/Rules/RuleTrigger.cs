using System.Text.Json.Serialization;
using Retry.Messaging.Recurring;

namespace Retry.Messaging.Operations.Rules;

/// <summary>When a rule replays: one of three.</summary>
internal sealed record RuleTrigger
{
    /// <summary>At the slots of this cron expression.</summary>
    public string? Cron { get; init; }

    /// <summary>The zone that the expression is in; <see langword="null"/> for UTC.</summary>
    public string? TimeZone { get; init; }

    /// <summary>Once the point's circuit, after it was open, has been closed for so long.</summary>
    public TimeSpan? ClosedFor { get; init; }

    /// <summary>Once all instances of the point are of this build.</summary>
    public string? Build { get; init; }

    /// <summary>Its slots, where it has any.</summary>
    /// <exception cref="FormatException">This machine cannot read the expression, or does not know the zone.</exception>
    public CronSlots? Slots() => Cron is null ? null : CronSlots.Parse(Cron, TimeZone);

    /// <summary>For people.</summary>
    [JsonIgnore]
    public string Words => this switch
    {
        { Cron: { } cron } => $"cron '{cron}' {TimeZone ?? "UTC"}",
        { ClosedFor: { } time } => $"circuit closed for {DurationText.Format(time)}",
        _ => $"build '{Build}' everywhere",
    };
}
