namespace Retry.Messaging.Idempotency;

/// <summary>How it stands with a key; the numbers are those in a store's table.</summary>
public enum KeyState
{
    /// <summary>Its message runs, or ran when its process ended.</summary>
    InProgress = 0,

    /// <summary>It is done, and its answers are kept.</summary>
    Done = 1,

    /// <summary>It failed for good, and its error is kept.</summary>
    Failed = 2,
}
