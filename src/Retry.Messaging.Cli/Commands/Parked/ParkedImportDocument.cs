namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary>The result of an import as JSON shows it.</summary>
internal sealed record ParkedImportDocument(string Queue, int Count, int AlreadyThere, int ReplayedSince);
