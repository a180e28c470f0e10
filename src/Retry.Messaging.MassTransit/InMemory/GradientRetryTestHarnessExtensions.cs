using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.MassTransit.InMemory;

#pragma warning disable IDE0130 // extensions live where the user already is
namespace MassTransit.Testing;
#pragma warning restore IDE0130

/// <summary>Graded retry in MassTransit's test harness, without a broker.</summary>
public static class GradientRetryTestHarnessExtensions
{
    private const string InMemoryScheme = "loopback";

    /// <summary>Gets the messages that were parked so far, oldest first.</summary>
    /// <param name="harness">The harness, on the in-memory transport.</param>
    /// <returns>A snapshot. A message is in it before its <see cref="Fault{T}"/> is published, so wait for that one.</returns>
    /// <exception cref="InvalidOperationException">AddGradientRetry is missing, or the bus runs on a broker.</exception>
    public static IReadOnlyList<InMemoryParkedMessage> GetParked(this ITestHarness harness) => ParkingLotOf(harness).Parked;

    /// <summary>From now on retries come at once instead of after their delay; attempts, headers and parking stay as they are.</summary>
    /// <remarks>What is postponed comes after a second, if not sooner.</remarks>
    /// <param name="harness">The harness, on the in-memory transport.</param>
    /// <exception cref="InvalidOperationException">AddGradientRetry is missing, or the bus runs on a broker.</exception>
    public static void SkipRetryDelays(this ITestHarness harness) => ParkingLotOf(harness).SkipDelays = true;

    private static InMemoryParkingLot ParkingLotOf(ITestHarness harness)
    {
        ArgumentNullException.ThrowIfNull(harness);
        var parkingLot = harness.Provider.GetService<InMemoryParkingLot>()
            ?? throw new InvalidOperationException("The harness found no graded retry on this bus. Add this line: services.AddMassTransitTestHarness(x => { x.AddGradientRetry(); ... })");
        var address = harness.Bus.Address;
        return address.Scheme == InMemoryScheme
            ? parkingLot
            : throw new InvalidOperationException($"The harness found a bus at {address}, wanted one on the in-memory transport. On a broker, read the parking lot itself.");
    }
}
