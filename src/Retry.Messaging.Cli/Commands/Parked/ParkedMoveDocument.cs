namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary>The result of a replay or discard as JSON shows it.</summary>
internal sealed record ParkedMoveDocument(
    string Action,
    string Queue,
    string? Plan,
    bool DryRun,
    long Count,
    IReadOnlyDictionary<string, long> ByReason,
    bool Interrupted,
    string? Error);
