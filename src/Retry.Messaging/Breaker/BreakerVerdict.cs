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
/// <param name="Outcomes">What happened in them, without the nodes that were left out.</param>
/// <param name="LeftOut">How many nodes were left out, because a few ill ones show most errors.</param>
internal sealed record BreakerEvidence(int Seconds, OutcomeCount Outcomes, int LeftOut)
{
    public override string ToString() =>
        $"{Outcomes.Errors} of {Outcomes.Total} attempts failed in the last {Seconds} s{(LeftOut == 0 ? null : $", without the {LeftOut} node{(LeftOut == 1 ? null : "s")} with most errors")}";
}
