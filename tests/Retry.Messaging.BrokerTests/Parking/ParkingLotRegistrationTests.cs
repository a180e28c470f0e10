using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Lots;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Parking;

/// <summary><see cref="IParkingLot"/> as a service gets it from its container.</summary>
[Collection(LotBroker.Name)]
public sealed class ParkingLotRegistrationTests(BrokerFixture broker)
{
    [Fact]
    public async Task A_service_replays_on_the_connection_of_its_bus()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(3);
        await using var wire = new StallingWire(lot.Address);
        await using var service = await RetryService.StartAsync(wire.Address, static (_, _) => { }, services: static services => services.AddRetryParkingLot());

        (await ReplayedAsync(service.Services)).ShouldBe(3);

        (await lot.WaitForCountAsync(RawLot.Work, 3)).ShouldBe(3u);
        service.Services.GetService<OwnConnection>().ShouldBeNull();
        wire.Accepted.ShouldBe(1);
    }

    [Fact]
    public async Task A_service_without_a_bus_has_a_connection_of_its_own_and_another_after_it_was_lost()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(2);
        await using var provider = new ServiceCollection().AddRetryParkingLot(lot.Address.AbsoluteUri).BuildServiceProvider();
        (await ReplayedAsync(provider)).ShouldBe(2);
        var first = await provider.GetRequiredService<OwnConnection>().OpenAsync(CancellationToken.None);
        await first.CloseAsync();
        await lot.ParkManyAsync(1);

        (await ReplayedAsync(provider)).ShouldBe(1);

        var second = await provider.GetRequiredService<OwnConnection>().OpenAsync(CancellationToken.None);
        second.ShouldNotBeSameAs(first);
        await provider.DisposeAsync();
        second.IsOpen.ShouldBeFalse();
    }

    private static async Task<int> ReplayedAsync(IServiceProvider services)
    {
        var replayed = 0;
        await foreach (var _ in services.GetRequiredService<IParkingLot>().ReplayAsync(RawLot.Work, ParkedFilter.All))
        {
            replayed++;
        }

        return replayed;
    }
}
