using Retry.Messaging.Idempotency;

namespace Retry.Messaging.Cli.Commands.Once;

/// <summary>What JSON says of a key.</summary>
internal sealed record OnceKeyDocument(
    string Consumer,
    string Key,
    string State,
    DateTimeOffset ChangedAt,
    DateTimeOffset LeaseUntil,
    long Token,
    string ContentHash,
    long ResultBytes)
{
    public static OnceKeyDocument Of(IdempotencyEntry entry) => new(
        entry.Key.Consumer,
        entry.Key.Value,
        StateOf(entry),
        entry.ChangedAt,
        entry.LeaseUntil,
        entry.Token,
        entry.ContentHash,
        entry.ResultBytes);

    /// <summary>The state in one word.</summary>
    public static string StateOf(IdempotencyEntry entry) => entry.State switch
    {
        KeyState.Done => "done",
        KeyState.Failed => "failed",
        _ => entry.IsLeaseOver ? "unsure" : "runs",
    };
}
