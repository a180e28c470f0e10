namespace Retry.Messaging.Cli.Commands.Once;

/// <summary>What JSON says of keys that were to be forgotten.</summary>
/// <param name="Key">The key.</param>
/// <param name="Forgotten">The consumers that have forgotten it.</param>
/// <param name="Running">The consumers that keep it, because they run.</param>
internal sealed record OnceForgetDocument(string Key, IReadOnlyList<string> Forgotten, IReadOnlyList<string> Running);
