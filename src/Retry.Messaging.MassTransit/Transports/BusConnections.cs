using MassTransit;
using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;

namespace Retry.Messaging.MassTransit.Transports;

/// <summary>Opens connections of our own to the broker of a bus, with the bus's settings, credentials and certificates among them.</summary>
internal static class BusConnections
{
    /// <summary>Opens a connection.</summary>
    /// <param name="settings">The bus's settings.</param>
    /// <param name="what">What it is for; the broker lists it under this name, after the bus's own.</param>
    /// <param name="prepare">Has a word in the factory that it is made by.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<IConnection> ConnectAsync(
        RabbitMqHostSettings settings,
        string what,
        Action<ConnectionFactory> prepare,
        CancellationToken cancellationToken)
    {
        var factory = settings.GetConnectionFactory();
        await settings.Refresh(factory).ConfigureAwait(false);
        prepare(factory);
        var name = $"{settings.ClientProvidedName} {what}".TrimStart();
        return settings.EndpointResolver is { } resolver
            ? await factory.CreateConnectionAsync(resolver, name, cancellationToken).ConfigureAwait(false)
            : await factory.CreateConnectionAsync([settings.Host], name, cancellationToken).ConfigureAwait(false);
    }
}
