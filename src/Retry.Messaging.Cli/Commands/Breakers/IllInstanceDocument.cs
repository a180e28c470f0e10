namespace Retry.Messaging.Cli.Commands.Breakers;

/// <summary>An instance that is ill while the target is not, as JSON shows it.</summary>
internal sealed record IllInstanceDocument(string Node, string Why);
