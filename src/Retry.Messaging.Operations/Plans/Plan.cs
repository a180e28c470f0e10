namespace Retry.Messaging.Operations.Plans;

/// <summary>A set of parked messages and what is done with it.</summary>
/// <param name="Id">Its id; each copy carries it.</param>
/// <param name="Terms">What is done.</param>
/// <param name="Queue">The work queue.</param>
/// <param name="By">Who made it.</param>
/// <param name="At">When it was made.</param>
internal sealed record Plan(string Id, PlanTerms Terms, string Queue, string By, DateTimeOffset At)
{
    /// <summary>How many messages are in the set.</summary>
    public int Count { get; init; }

    /// <summary>What stands for the set: the same for the same messages.</summary>
    public string Hash { get; init; } = string.Empty;

    /// <summary>The messages by the reason for which they were parked.</summary>
    public IReadOnlyDictionary<string, long> Groups { get; init; } = new Dictionary<string, long>();

    /// <summary>How far it is.</summary>
    public PlanState State { get; init; }

    /// <summary>How often it was begun: once, and once more with each resume.</summary>
    public int Run { get; init; } = 1;

    /// <summary>Who began it last.</summary>
    public string RunBy { get; init; } = By;

    /// <summary>When it was begun last, or ended.</summary>
    public DateTimeOffset RunAt { get; init; } = At;

    /// <summary>How many were moved, as far as is known: when it was stopped, cancelled or done.</summary>
    public int Moved { get; init; }

    /// <summary>How many may have been sent, and are still parked, when it was cancelled.</summary>
    public int MayHaveBeenSent { get; init; }

    /// <summary>The run that ended in good order; what was announced up to it counts no more.</summary>
    public int CleanRun { get; init; }

    /// <summary>What may have been sent before that run ended all the same, by its place in the set.</summary>
    public IReadOnlyList<int> Doubtful { get; init; } = [];

    /// <summary>The keys of a set that is small enough to stand here; <see langword="null"/> where they stand in the journal, and after the end.</summary>
    public byte[]? Keys { get; init; }

    /// <summary>Who wants the service that carries it out to stop, because they resume or cancel it; <see langword="null"/> for nobody.</summary>
    public string? WantedBy { get; init; }

    /// <summary>Whether nothing more is done.</summary>
    public bool IsOver => State is PlanState.Done or PlanState.Cancelled;
}
