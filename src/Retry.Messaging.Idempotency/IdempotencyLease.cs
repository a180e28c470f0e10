namespace Retry.Messaging.Idempotency;

/// <summary>The right to run for a key and to say how it ended.</summary>
/// <param name="Key">The key.</param>
/// <param name="Token">The fencing token: no other lease of the store has it, before or after.</param>
public sealed record IdempotencyLease(IdempotencyKey Key, long Token);
