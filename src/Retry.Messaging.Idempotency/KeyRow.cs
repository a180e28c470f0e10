namespace Retry.Messaging.Idempotency;

/// <summary>What stands in a store for a key.</summary>
/// <param name="Token">The token of its last lease.</param>
/// <param name="ContentHash">The hash of the content that the key belongs to.</param>
/// <param name="Result">How it ended; <see langword="null"/> while it is in progress.</param>
/// <param name="LeaseUntil">When the lease runs out.</param>
internal sealed record KeyRow(long Token, string ContentHash, IdempotencyResult? Result, DateTimeOffset LeaseUntil)
{
    /// <summary>Gets the result that a row keeps.</summary>
    public static IdempotencyResult? ResultOf(KeyState state, byte[]? content) =>
        state == KeyState.InProgress ? null : new IdempotencyResult(state == KeyState.Failed, content);

    /// <summary>Gets the state that a result leads to.</summary>
    public static KeyState StateOf(IdempotencyResult result) => result.IsFailure ? KeyState.Failed : KeyState.Done;

    /// <summary>Decides whether a message may run. Pure: the store reads the row before, and begins the lease after it.</summary>
    /// <param name="row">What stands there, or <see langword="null"/>.</param>
    /// <param name="request">The message.</param>
    /// <param name="now">The current time.</param>
    /// <returns>Why it may not run, or <see langword="null"/>.</returns>
    public static IdempotencyVerdict? WhyNot(KeyRow? row, IdempotencyRequest request, DateTimeOffset now)
    {
        if (row is null || (row.Result is { IsFailure: true } && request.IsReplay))
        {
            return null;
        }

        if (row.ContentHash != request.ContentHash)
        {
            return new IdempotencyVerdict.OtherContent();
        }

        if (row.Result is { } result)
        {
            return new IdempotencyVerdict.Ended(result);
        }

        if (row.LeaseUntil > now)
        {
            return new IdempotencyVerdict.InProgress(row.LeaseUntil - now);
        }

        return request.TakesOver || request.IsReplay ? null : new IdempotencyVerdict.Uncertain();
    }
}
