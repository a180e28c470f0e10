namespace Retry.Messaging.Idempotency;

/// <summary>How it ended, for good.</summary>
/// <param name="IsFailure">Whether it failed permanently; otherwise it is done.</param>
/// <param name="Content">The answers, or the error; bytes that the store keeps as they are.</param>
public sealed record IdempotencyResult(bool IsFailure, ReadOnlyMemory<byte> Content);
