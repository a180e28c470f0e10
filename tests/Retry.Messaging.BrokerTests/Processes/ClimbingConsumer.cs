using MassTransit;
using Retry.Messaging.BrokerTests.MassTransit;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>Two points whose consumers always fail: their messages climb, and share a rung. Killed by its test.</summary>
internal static class ClimbingConsumer
{
    public const string BrokerVariable = "CLIMBING_CONSUMER_BROKER";
    public const string Ready = "ready";

    public static async Task RunAsync()
    {
        await using var service = await RetryService.StartAsync(
            new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!),
            (context, bus) =>
            {
                bus.ReceiveEndpoint("payments", endpoint =>
                {
                    endpoint.UseGradientRetry(context, retry =>
                    {
                        retry.Fixed(TimeSpan.FromSeconds(20)).Retries(9);
                        retry.For<TimeoutException>(slow => slow.Fixed(TimeSpan.FromMinutes(2)));
                    });
                    endpoint.Handler<Charge>(charge => throw (charge.Message.IsSlow ? new TimeoutException("slow") : new InvalidOperationException("away")));
                });
                bus.ReceiveEndpoint("mails", endpoint =>
                {
                    endpoint.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromSeconds(20)).Retries(9));
                    endpoint.Handler<Mail>(_ => throw new InvalidOperationException("away"));
                });
            });
        Console.WriteLine(Ready);
        // the console's reader blocks even when asked to read asynchronously
        await Task.Run(Console.In.ReadToEnd);
    }

    public sealed record Charge(bool IsSlow);

    public sealed record Mail(string To);
}
