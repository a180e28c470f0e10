namespace Retry.Messaging.Idempotency;

/// <summary>What operators see of a key: never the answers themselves.</summary>
/// <param name="Key">The key.</param>
/// <param name="State">How it stands with it.</param>
/// <param name="Token">The fencing token of its last lease.</param>
/// <param name="ContentHash">The hash of the content that the key belongs to.</param>
/// <param name="ResultBytes">How many bytes its answers or its error have; 0 while it is in progress.</param>
/// <param name="LeaseUntil">When its last lease runs out, or ran out.</param>
/// <param name="IsLeaseOver">Whether it has run out, by the store's clock. In progress and over: nobody knows whether its effect happened.</param>
/// <param name="ChangedAt">When it began, was renewed or ended, whichever was last.</param>
public sealed record IdempotencyEntry(
    IdempotencyKey Key,
    KeyState State,
    long Token,
    string ContentHash,
    long ResultBytes,
    DateTimeOffset LeaseUntil,
    bool IsLeaseOver,
    DateTimeOffset ChangedAt);
