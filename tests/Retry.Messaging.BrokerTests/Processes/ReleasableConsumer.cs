using MassTransit;
using Retry.Messaging.BrokerTests.MassTransit;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>Two points whose messages fail once, wait two minutes and come by every three seconds; one of them has a limit. Killed by its test.</summary>
internal static class ReleasableConsumer
{
    public const string BrokerVariable = "RELEASABLE_CONSUMER_BROKER";
    public const string Ready = "ready";
    public const string Done = "done";
    public const double PerSecond = 40;
    public static readonly TimeSpan Within = TimeSpan.FromSeconds(3);

    public static async Task RunAsync()
    {
        await using var service = await StartAsync(new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!));
        Console.WriteLine(Ready);
        // the console's reader blocks even when asked to read asynchronously
        await Task.Run(Console.In.ReadToEnd);
    }

    public static Task<RetryService> StartAsync(Uri broker) => RetryService.StartAsync(
        broker,
        (context, bus) =>
        {
            bus.ReceiveEndpoint("payments", endpoint => Configure(context, endpoint, limit: null));
            bus.ReceiveEndpoint("refunds", endpoint => Configure(context, endpoint, PerSecond));
        });

    private static void Configure(IBusRegistrationContext context, IReceiveEndpointConfigurator endpoint, double? limit)
    {
        endpoint.ConfigureConsumeTopology = false;
        endpoint.UseGradientRetry(context, retry =>
        {
            retry.Fixed(TimeSpan.FromMinutes(2)).Retries(1);
            retry.ReleasableWithin(Within);
            if (limit is { } perSecond)
            {
                retry.LimitRedelivery(perSecond);
            }
        });
        endpoint.Handler<Charge>(async charge =>
        {
            if (charge.GetRedeliveryCount() == 0)
            {
                throw new InvalidOperationException("away");
            }

            // before it is done: what a kill cuts off is done again, and is there twice
            var done = await charge.GetSendEndpoint(new Uri("queue:" + Done));
            await done.Send(charge.Message);
        });
    }

    public sealed record Charge(int Number);
}
