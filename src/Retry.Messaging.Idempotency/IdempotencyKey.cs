namespace Retry.Messaging.Idempotency;

/// <summary>What makes two messages the same for one consumer.</summary>
/// <param name="Consumer">The consumer: its queue, its type and the type of the message. Two consumers of one queue have a key each.</param>
/// <param name="Value">The message id, or what the business calls the message.</param>
public sealed record IdempotencyKey(string Consumer, string Value);
