namespace Retry.Messaging.Operations.Points;

/// <summary>What one retry point has at the moment.</summary>
/// <param name="Queue">The work queue.</param>
internal sealed record PointSummary(string Queue)
{
    /// <summary>Messages in the work queue that no consumer has; <see langword="null"/> where the queue does not exist.</summary>
    public long? Ready { get; init; }

    /// <summary>Messages that the service's consumers hold.</summary>
    public long? Unacknowledged { get; init; }

    /// <summary>Consumers of the work queue.</summary>
    public long? Consumers { get; init; }

    /// <summary>How many instances say that they serve it and are there; <see langword="null"/> where that could not be read.</summary>
    public int? Nodes { get; init; }

    /// <summary>What those instances are built of: more than one while a deployment runs, or where one was forgotten.</summary>
    public IReadOnlyList<string> Builds { get; init; } = [];

    /// <summary>Messages that wait for the limiter, with those that it holds; <see langword="null"/> where the point has no release queue.</summary>
    public long? Waiting { get; init; }

    /// <summary>Messages that it has on the ladder; <see langword="null"/> where that could not be read.</summary>
    public long? Climbing { get; init; }

    /// <summary>By how many <see cref="Climbing"/> may be wrong at most.</summary>
    public long? ClimbingError { get; init; }

    /// <summary>Messages in the parking lot; <see langword="null"/> where it does not exist.</summary>
    public long? Parked { get; init; }

    /// <summary>What the point's limiter does.</summary>
    public PointLimiterState Limiter { get; init; }

    /// <summary>The plan that was left unfinished and keeps others from its parking lot; <see langword="null"/> where there is none.</summary>
    public string? UnfinishedPlan { get; init; }

    /// <summary>What an operator should look at; <see langword="null"/> where all is well.</summary>
    public string? Trouble =>
        Ready is null ? "its work queue does not exist"
        : Limiter == PointLimiterState.Missing ? "no limiter consumes its release queue, so nothing is redelivered"
        : Parked is null ? "it has no parking lot"
        : Ready > 0 && Consumers == 0 ? "messages are ready and its work queue has no consumer"
        : null;

    /// <summary>What to do about the trouble; <see langword="null"/> where there is none.</summary>
    public string? NextStep => Trouble is null ? null
        : Ready is null ? $"Start the service that has it; where the point is given up, run 'retryctl topology remove --point {Queue}'."
        : Limiter == PointLimiterState.Missing ? $"Start a service that has the point, or run 'retryctl limiter run --point {Queue}'."
        : Parked is null ? $"Run 'retryctl topology apply --point {Queue}'."
        : "Start its service.";

    /// <summary>Whether an operator should look at it.</summary>
    public bool NeedsAttention => Trouble is not null || UnfinishedPlan is not null;

    /// <summary>At how many messages per second it releases; <see langword="null"/> where that is not known, or without a limit.</summary>
    public double? PerSecond { get; init; }
}
