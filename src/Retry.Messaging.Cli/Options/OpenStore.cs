using Retry.Messaging.Idempotency;

namespace Retry.Messaging.Cli.Options;

/// <summary>A store, as a command uses it.</summary>
/// <param name="Store">What prunes.</param>
/// <param name="Inspector">What counts, finds and forgets.</param>
/// <param name="Owned">Ends with the command.</param>
internal sealed record OpenStore(IIdempotencyStore Store, IIdempotencyInspector Inspector, IAsyncDisposable Owned) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Owned.DisposeAsync();
}
