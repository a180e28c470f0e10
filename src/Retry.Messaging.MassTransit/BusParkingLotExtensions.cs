using MassTransit.RabbitMqTransport;
using MassTransit.RabbitMqTransport.Configuration;
using MassTransit.Transports;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using RabbitMQ.Client;
using Retry.Messaging.MassTransit.Configuration;
using Retry.Messaging.RabbitMq.Parking;
using Retry.Messaging.RabbitMq.Topology;

#pragma warning disable IDE0130 // extensions live where the user already is
namespace MassTransit;
#pragma warning restore IDE0130

/// <summary>Parking lots as a service, on the connection of the bus.</summary>
public static class BusParkingLotExtensions
{
    /// <summary>Registers <see cref="IParkingLot"/> on the connection of the bus; what it does waits until the bus is connected.</summary>
    /// <param name="services">The services. Of several buses (MultiBus) it is the one that AddMassTransit adds without a type.</param>
    /// <remarks>Reading a large lot takes its share of the connection. <c>AddRetryParkingLot(address)</c> has a connection of its own.</remarks>
    public static IServiceCollection AddRetryParkingLot(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton<IParkingLot>(static provider => new ConnectedParkingLot(
            cancellationToken => ConnectionOfAsync(provider, cancellationToken),
            NamesOf(provider),
            provider.GetService<TimeProvider>() ?? TimeProvider.System));
        return services;
    }

    private static Func<string, RetryPointNames> NamesOf(IServiceProvider provider)
    {
        var context = provider.GetService<DependencyInjection.Bind<IBus, IBusRegistrationContext>>()?.Value;
        return provider.GetServices<GradientRetryRegistration>()
            .FirstOrDefault(registration => ReferenceEquals(registration.ContextOf(provider), context))?.Options.QueueNames ?? RetryPointNames.For;
    }

    private static async Task<IConnection> ConnectionOfAsync(IServiceProvider provider, CancellationToken cancellationToken)
    {
        var bus = provider.GetService<DependencyInjection.Bind<IBus, IBusInstance>>()?.Value
            ?? throw new InvalidOperationException("The parking lot found no bus, wanted services.AddMassTransit(...). Without MassTransit: services.AddRetryParkingLot(\"amqp://user:password@host/vhost\").");
        if (bus.HostConfiguration is not IRabbitMqHostConfiguration rabbit)
        {
            throw new InvalidOperationException($"The parking lot found a bus at {bus.Bus.Address}, wanted one on RabbitMQ. In a test harness, harness.GetParked() has the parked messages.");
        }

        IConnection? connection = null;
        await rabbit.ConnectionContextSupervisor.Send(
            Pipe.Execute<ConnectionContext>(context => connection = context.Connection),
            cancellationToken).ConfigureAwait(false);
        return connection!;
    }
}
