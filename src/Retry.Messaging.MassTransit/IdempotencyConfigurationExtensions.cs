using Retry.Messaging.Idempotency;
using Retry.Messaging.MassTransit;
using Retry.Messaging.MassTransit.Configuration;
using Retry.Messaging.MassTransit.Idempotency;

#pragma warning disable IDE0130 // extensions live where the user already is
namespace MassTransit;
#pragma warning restore IDE0130

/// <summary>Idempotent consumers for MassTransit.</summary>
public static class IdempotencyConfigurationExtensions
{
    /// <summary>Runs each consumer of a retry point once for each message, and gives duplicates the same answers again.</summary>
    /// <remarks>The store is the <see cref="IIdempotencyStore"/> among the services. Two calls on one endpoint merge.
    /// Handlers and sagas of the endpoint stay as they are.</remarks>
    /// <param name="configurator">The endpoint; it has to be a retry point.</param>
    /// <param name="context">The registration context, as given to <c>UsingRabbitMq</c> and to definitions.</param>
    /// <param name="configure">How duplicates are recognized; by message id unless told.</param>
    /// <exception cref="ConfigurationException">AddGradientRetry is missing. What else is wrong, the validation of the bus says.</exception>
    public static void UseIdempotency(
        this IReceiveEndpointConfigurator configurator,
        IRegistrationContext context,
        Action<IdempotencyBuilder>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(configurator);
        ArgumentNullException.ThrowIfNull(context);
        GradientRetryConfigurationExtensions.Require(context, "UseIdempotency found no graded retry on this bus.");
        var layers = EndpointLayers.Of(configurator);
        layers.Idempotency ??= new IdempotencySettings();
        configure?.Invoke(new IdempotencyBuilder(layers.Idempotency));
    }

    /// <summary>Opens the store's transaction for the consumer's own writes: they commit with the mark that the message is done, or not at all.</summary>
    /// <remarks>
    /// In SQLite it holds the database's one write lock until the consumer has ended: call it late, after what takes long.
    /// Each call within one run gives the same transaction. The library commits it when the consumer returns, and rolls it back when it throws.
    /// </remarks>
    /// <param name="context">The consumer's context, or that of a service that is injected into it.</param>
    /// <param name="cancellationToken">Gives up waiting for the lock.</param>
    /// <returns>The connection and its transaction.</returns>
    /// <exception cref="InvalidOperationException">The consumer is not idempotent: UseIdempotency is missing on its endpoint.</exception>
    public static Task<IdempotencyTransaction> EnlistAsync(this ConsumeContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.TryGetPayload<IIdempotentRun>(out var run)
            ? run.EnlistAsync(cancellationToken)
            : throw new InvalidOperationException("Found a consumer without a store to enlist in, wanted an idempotent one. Call UseIdempotency on its receive endpoint.");
    }
}
