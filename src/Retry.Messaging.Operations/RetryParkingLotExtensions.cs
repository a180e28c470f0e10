using Microsoft.Extensions.DependencyInjection.Extensions;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Connections;

#pragma warning disable IDE0130 // extensions live where the user already is
namespace Microsoft.Extensions.DependencyInjection;
#pragma warning restore IDE0130

/// <summary>Parking lots as a service.</summary>
public static class RetryParkingLotExtensions
{
    private const string ClientName = "retry parking lot";

    /// <summary>Registers <see cref="IParkingLot"/> on the connection of the bus; what it does waits until the bus is connected.</summary>
    /// <param name="services">The services. Of several buses (MultiBus) it is the one that AddMassTransit adds without a type.</param>
    /// <remarks>
    /// The bus needs <c>AddGradientRetry</c>. Reading a large lot takes its share of the connection;
    /// <c>AddRetryParkingLot(address)</c> has a connection of its own.
    /// </remarks>
    public static IServiceCollection AddRetryParkingLot(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton<IParkingLot>(static provider => Connected(
            provider,
            provider.GetService<IBrokerConnection>() ?? throw new InvalidOperationException(
                "The parking lot found no bus with graded retry, wanted services.AddMassTransit(x => { x.AddGradientRetry(); ... }). Without: services.AddRetryParkingLot(\"amqp://user:password@host/vhost\").")));
        return services;
    }

    /// <summary>Registers <see cref="IParkingLot"/>, on a connection of its own that is opened at its first use.</summary>
    /// <param name="services">The services.</param>
    /// <param name="broker">The broker: <c>amqp(s)://user:password@host:port/vhost</c>.</param>
    /// <exception cref="FormatException">The address cannot be read; the message says found and wanted.</exception>
    public static IServiceCollection AddRetryParkingLot(this IServiceCollection services, string broker)
    {
        ArgumentNullException.ThrowIfNull(services);
        var address = BrokerAddress.Parse(broker);
        services.TryAddSingleton(_ => new OwnConnection(address, ClientName));
        services.TryAddSingleton<IParkingLot>(static provider => Connected(provider, provider.GetRequiredService<OwnConnection>()));
        return services;
    }

    private static ConnectedParkingLot Connected(IServiceProvider provider, IBrokerConnection connection) =>
        new(connection, provider.GetService<TimeProvider>() ?? TimeProvider.System);
}
