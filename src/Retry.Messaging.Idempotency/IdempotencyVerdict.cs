namespace Retry.Messaging.Idempotency;

/// <summary>What a store knows of a key.</summary>
public abstract record IdempotencyVerdict
{
    private IdempotencyVerdict()
    {
    }

    /// <summary>The message may run, under a lease that has just begun.</summary>
    /// <param name="Lease">The lease.</param>
    /// <param name="IsUncertain">Whether it took over a lease that ran out: whether the effect happened is not known.</param>
    public sealed record Run(IdempotencyLease Lease, bool IsUncertain) : IdempotencyVerdict;

    /// <summary>The message runs elsewhere.</summary>
    /// <param name="Rest">How much is left of that lease; more than zero.</param>
    public sealed record InProgress(TimeSpan Rest) : IdempotencyVerdict;

    /// <summary>It has ended.</summary>
    /// <param name="Result">How.</param>
    public sealed record Ended(IdempotencyResult Result) : IdempotencyVerdict;

    /// <summary>The key belongs to other content.</summary>
    public sealed record OtherContent : IdempotencyVerdict;

    /// <summary>A lease ran out, and the request did not want to take it over: whether the effect happened is not known.</summary>
    public sealed record Uncertain : IdempotencyVerdict;
}
