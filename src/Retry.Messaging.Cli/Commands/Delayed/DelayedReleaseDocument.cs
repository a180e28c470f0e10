namespace Retry.Messaging.Cli.Commands.Delayed;

/// <summary>What was released, as JSON shows it.</summary>
internal sealed record DelayedReleaseDocument(
    string Queue,
    DateTimeOffset WaitsSinceBefore,
    long Waiting,
    long Error,
    string? Within,
    IReadOnlyList<string> Without);
