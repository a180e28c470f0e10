using Retry.Messaging.BrokerTests.Scheduler;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>A service that cancels what it is told to, and is killed as soon as it has.</summary>
internal static class CancellerProcess
{
    public const string BrokerVariable = "CANCELLER_BROKER";
    public const string Destination = "queue:orders";
    public const string Ready = "ready";
    public const string Cancelled = "cancelled";

    public static async Task RunAsync()
    {
        await using var service = await ScheduledService.StartAsync(new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!), (_, _) => { });
        Console.WriteLine(Ready);
        while (Console.ReadLine() is { } token)
        {
            await service.Scheduler.CancelScheduledSend(new Uri(Destination), Guid.Parse(token));
            Console.WriteLine(Cancelled);
        }
    }
}
