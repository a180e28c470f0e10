namespace Retry.Messaging.Cli.Commands.Once;

/// <summary>What JSON says of a pruning.</summary>
/// <param name="Pruned">How many keys were forgotten.</param>
internal sealed record OncePruneDocument(long Pruned);
