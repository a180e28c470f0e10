using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>A service that carries out detached plans, and nothing else. Killed by its test.</summary>
internal static class PlanCarrierProcess
{
    public const string BrokerVariable = "PLAN_CARRIER_BROKER";
    public const string Ready = "ready";

    public static async Task RunAsync()
    {
        using var host = await StartAsync(Environment.GetEnvironmentVariable(BrokerVariable)!);
        Console.WriteLine(Ready);
        // the console's reader blocks even when asked to read asynchronously
        await Task.Run(Console.In.ReadToEnd);
        await host.StopAsync();
    }

    public static async Task<IHost> StartAsync(string broker)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.AddRetryOperations(broker);
        builder.Services.AddRetryParkingLot(broker);
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }
}
