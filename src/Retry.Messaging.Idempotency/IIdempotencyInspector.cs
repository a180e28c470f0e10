namespace Retry.Messaging.Idempotency;

/// <summary>What operators ask a store: how much it has, what it knows of a key, and to forget one.</summary>
/// <remarks>The stores of this library have it beside <see cref="IIdempotencyStore"/>; it is among the services, too.</remarks>
public interface IIdempotencyInspector
{
    /// <summary>Counts the keys of each consumer. It reads every key: some seconds with millions.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>A line for each consumer that has a key, by name.</returns>
    Task<IReadOnlyList<IdempotencyStats>> CountAsync(CancellationToken cancellationToken);

    /// <summary>Finds what is known of a key.</summary>
    /// <param name="value">The message id, or what the business calls the message.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>An entry for each consumer that has had the key, by name; none if nobody has.</returns>
    Task<IReadOnlyList<IdempotencyEntry>> FindAsync(string value, CancellationToken cancellationToken);

    /// <summary>Forgets a key, so that its next message runs as a new one. What runs under a lease stays.</summary>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether it is forgotten: there was one, and nobody ran under it.</returns>
    Task<bool> ForgetAsync(IdempotencyKey key, CancellationToken cancellationToken);
}
