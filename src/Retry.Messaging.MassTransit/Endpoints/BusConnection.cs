using MassTransit;
using MassTransit.RabbitMqTransport;
using MassTransit.RabbitMqTransport.Configuration;
using MassTransit.Transports;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>The connection of the bus that AddMassTransit adds without a type.</summary>
internal sealed class BusConnection(IServiceProvider provider) : IBrokerConnection
{
    /// <inheritdoc/>
    public async Task<IConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var bus = provider.GetService<global::MassTransit.DependencyInjection.Bind<IBus, IBusInstance>>()?.Value
            ?? throw new InvalidOperationException("Found no bus of services.AddMassTransit(x => ...), wanted one: buses with a type of their own do not share their connection. Name the broker instead: services.AddRetryParkingLot(\"amqp://user:password@host/vhost\").");
        if (bus.HostConfiguration is not IRabbitMqHostConfiguration rabbit)
        {
            throw new InvalidOperationException($"Found a bus at {bus.Bus.Address}, wanted one on RabbitMQ. In a test harness, harness.GetParked() has the parked messages.");
        }

        IConnection? connection = null;
        await rabbit.ConnectionContextSupervisor.Send(
            Pipe.Execute<ConnectionContext>(context => connection = context.Connection),
            cancellationToken).ConfigureAwait(false);
        return connection!;
    }
}
