namespace Retry.Messaging.Idempotency;

/// <summary>Asks whether a message may run.</summary>
/// <param name="Key">Its key.</param>
/// <param name="ContentHash">The hash of its content. A message with the same key and another hash never runs.</param>
/// <param name="Lease">How long the key is its own if it may run; more than zero.</param>
public sealed record IdempotencyRequest(IdempotencyKey Key, string ContentHash, TimeSpan Lease)
{
    /// <summary>Whether a lease that ran out is taken over; <see langword="true"/> unless told.</summary>
    public bool TakesOver { get; init; } = true;

    /// <summary>Whether an operator has replayed the message. He knows what happened: a failure that is remembered and a lease
    /// that ran out do not stand in the way, nor does other content after a failure.</summary>
    public bool IsReplay { get; init; }
}
