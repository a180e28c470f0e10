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

    /// <summary>Who changed headers or body; <see langword="null"/> where nothing is changed.</summary>
    public string? ChangedBy { get; init; }

    /// <summary>Whether the messages are those that were archived.</summary>
    public bool IsOfArchive { get; init; }

    /// <summary>The error queue that the messages come from; <see langword="null"/> for the parking lot or the archive.</summary>
    public string? ErrorQueue { get; init; }

    /// <summary>What was changed and by whom, for the header of the copies.</summary>
    public string? Changes => ChangedBy is null ? null : $"{ChangedBy}: {string.Join(", ", IsEdited ? Headers.Keys.Prepend("body") : Headers.Keys)}";

    /// <summary>Whether nobody looks after it: a service that carries out plans goes on with it when nobody else does.</summary>
    public bool IsUnattended { get; init; }

    /// <summary>Whether the one message of the plan gets another body, which stands in the journal.</summary>
    public bool IsEdited { get; init; }
}
