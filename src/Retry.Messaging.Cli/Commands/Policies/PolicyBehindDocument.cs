namespace Retry.Messaging.Cli.Commands.Policies;

/// <summary>An instance that does not apply what operators have set, as JSON shows it.</summary>
internal sealed record PolicyBehindDocument(string Node, string Why);
