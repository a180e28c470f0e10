namespace Retry.Messaging.Cli.Commands.Lost;

/// <summary>The result of a replay of lost messages as JSON shows it.</summary>
internal sealed record LostMoveDocument(
    string Action,
    string Queue,
    string? Plan,
    bool DryRun,
    long Count,
    IReadOnlyDictionary<string, long> ByQueue,
    IReadOnlyDictionary<string, long> WithoutDestination,
    bool Interrupted,
    string? Error);
