using Microsoft.Extensions.DependencyInjection.Extensions;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Parking;
using Retry.Messaging.RabbitMq.Topology;

#pragma warning disable IDE0130 // extensions live where the user already is
namespace Microsoft.Extensions.DependencyInjection;
#pragma warning restore IDE0130

/// <summary>Parking lots as a service, on a connection of their own.</summary>
public static class ParkingLotServiceCollectionExtensions
{
    private const string ClientName = "retry parking lot";

    /// <summary>Registers <see cref="IParkingLot"/>, on a connection of its own that is opened at its first use.</summary>
    /// <param name="services">The services.</param>
    /// <param name="broker">The broker: <c>amqp(s)://user:password@host:port/vhost</c>.</param>
    /// <param name="names">How the queues of a retry point are named; <see langword="null"/> for the default names.</param>
    /// <exception cref="FormatException">The address cannot be read; the message says found and wanted.</exception>
    public static IServiceCollection AddRetryParkingLot(this IServiceCollection services, string broker, Func<string, RetryPointNames>? names = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var address = BrokerAddress.Parse(broker);
        services.TryAddSingleton(_ => new OwnConnection(address, ClientName));
        services.TryAddSingleton<IParkingLot>(provider => new ConnectedParkingLot(
            provider.GetRequiredService<OwnConnection>().OpenAsync,
            names ?? RetryPointNames.For,
            provider.GetService<TimeProvider>() ?? TimeProvider.System));
        return services;
    }
}
