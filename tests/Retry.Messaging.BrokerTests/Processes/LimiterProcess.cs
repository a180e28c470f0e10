using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Retry.Messaging.BrokerTests.Limiter;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>A limiter and nothing else, to be killed or stopped by a test.</summary>
internal static class LimiterProcess
{
    public const string BrokerVariable = "LIMITER_BROKER";
    public const string QueueVariable = "LIMITER_QUEUE";
    public const string RateVariable = "LIMITER_RATE";
    public const string Ready = "ready";

    public static async Task RunAsync()
    {
        var limiter = LimitedPoint.Create(
            new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!),
            Environment.GetEnvironmentVariable(QueueVariable)!,
            double.Parse(Environment.GetEnvironmentVariable(RateVariable)!, CultureInfo.InvariantCulture),
            burst: 1,
            consumerPrefetch: 0,
            NullLogger.Instance);
        using var stop = new CancellationTokenSource();
        var run = limiter.RunAsync(stop.Token);
        while (limiter.Status.Activity == RabbitMq.Limiter.LimiterActivity.Down)
        {
            await Task.Delay(20);
        }

        Console.WriteLine(Ready);
        await Console.In.ReadToEndAsync();
        await stop.CancelAsync();
        await run;
    }
}
