using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal static class Harness
{
    public static async Task Test()
    {
        await using var provider = new ServiceCollection()
            .AddMassTransitTestHarness(x =>
            {
                x.AddConsumer<ChargeConsumer>();
                x.AddGradientRetry(retry => retry.Fixed(TimeSpan.FromMinutes(5)).Retries(8));
            })
            .BuildServiceProvider(true);
        var harness = provider.GetRequiredService<ITestHarness>();
        harness.SkipRetryDelays();
        await harness.Start();

        await harness.Bus.Publish(new ChargeRequested("p-1", 12.50m));

        await harness.Published.Any<Fault<ChargeRequested>>();
        var parked = harness.GetParked().Single();
        Console.WriteLine($"{parked.Reason} after {parked.Attempts} attempts");   // Exhausted after 9 attempts
    }
}
