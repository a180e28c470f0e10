namespace Retry.Messaging.Breaker;

/// <summary>What the rule of the breaker says of a target and of those who call it.</summary>
internal sealed record BreakerVerdict
{
    /// <summary>Nothing is ill.</summary>
    public static readonly BreakerVerdict Well = new();

    /// <summary>Gets the evidence that the target is ill; <see langword="null"/> where it is not.</summary>
    public BreakerEvidence? Target { get; init; }

    /// <summary>Gets the nodes that are ill while the target is not, with the evidence for each.</summary>
    public IReadOnlyDictionary<string, BreakerEvidence> Nodes { get; init; } = new Dictionary<string, BreakerEvidence>();
}

/// <summary>Why the breaker takes something for ill.</summary>
/// <param name="Seconds">Over how many seconds.</param>
/// <param name="Outcomes">What happened in them, as it was counted.</param>
/// <param name="Suspects">How many nodes counted no more errors than the worst of the others.</param>
internal sealed record BreakerEvidence(int Seconds, OutcomeCount Outcomes, int Suspects)
{
    public override string ToString() =>
        $"{Outcomes.Errors} of {Outcomes.Total} attempts failed in the last {Seconds} s{Capped}";

    private string? Capped => Suspects switch
    {
        0 => null,
        1 => ", not counting what the 1 node with most errors has more of than the others",
        _ => $", not counting what the {Suspects} nodes with most errors have more of than the others",
    };
}
