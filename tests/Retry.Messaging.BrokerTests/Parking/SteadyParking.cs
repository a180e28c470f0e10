using RabbitMQ.Client;
using Retry.Messaging.Outcomes;

namespace Retry.Messaging.BrokerTests.Parking;

/// <summary>Parks new messages, until it is stopped.</summary>
internal sealed class SteadyParking(RawLot lot) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task<int> _parking = Task.FromResult(0);
    private volatile int _parked;

    /// <summary>How many have been parked.</summary>
    public int Parked => _parked;

    public static SteadyParking Start(RawLot lot)
    {
        var parking = new SteadyParking(lot);
        parking._parking = Task.Run(parking.RunAsync);
        return parking;
    }

    /// <summary>Stops, and tells how many were parked.</summary>
    public async Task<int> StopAsync()
    {
        await _stop.CancelAsync();
        return await _parking.WaitAsync(TimeSpan.FromMinutes(4));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task<int> RunAsync()
    {
        await using var connection = await BrokerFixture.ConnectAsync(lot.Address);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        for (; !_stop.IsCancellationRequested; _parked++)
        {
            await pace.WaitForNextTickAsync();
            await lot.ParkAsync($"later-{_parked:000000}", ParkReason.Exhausted, through: channel);
        }

        return _parked;
    }
}
