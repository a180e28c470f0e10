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
    string? Error)
{
    /// <summary>What stands for the set of messages: the same for the same messages.</summary>
    public string? Hash { get; init; }

    /// <summary>Messages of an error queue, by the queue that they went to.</summary>
    public IReadOnlyDictionary<string, long>? ByQueue { get; init; }

    /// <summary>Messages of an error queue that stayed, by the queue that does not exist.</summary>
    public IReadOnlyDictionary<string, long>? WithoutDestination { get; init; }
}
