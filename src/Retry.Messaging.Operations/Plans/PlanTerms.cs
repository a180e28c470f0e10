namespace Retry.Messaging.Operations.Plans;

/// <summary>What a plan does with each of its messages.</summary>
/// <param name="Action">What is done.</param>
internal sealed record PlanTerms(PlanAction Action)
{
    /// <summary>How many are moved in a second at the most; <see langword="null"/> for as many as can be.</summary>
    public double? PerSecond { get; init; }

    /// <summary>The queue that the copies go to; <see langword="null"/> for the work queue.</summary>
    public string? To { get; init; }

    /// <summary>Headers that the copies get.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether the one message of the plan gets another body, which stands in the journal.</summary>
    public bool IsEdited { get; init; }
}
