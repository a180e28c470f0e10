using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Retry.Messaging.BrokerTests.Limiter;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>Limiters of one or several points (<c>a,b</c>) and nothing else, to be killed or stopped by a test.</summary>
internal static class LimiterProcess
{
    public const string BrokerVariable = "LIMITER_BROKER";
    public const string QueueVariable = "LIMITER_QUEUE";
    public const string RateVariable = "LIMITER_RATE";
    public const string Ready = "ready";
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    public static async Task RunAsync()
    {
        var broker = new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!);
        var rate = double.Parse(Environment.GetEnvironmentVariable(RateVariable)!, CultureInfo.InvariantCulture);
        var limiters = Environment.GetEnvironmentVariable(QueueVariable)!.Split(',')
            .Select(queue => LimitedPoint.Create(broker, queue, rate, burst: 1, consumerPrefetch: 0, NullLogger.Instance))
            .ToList();
        using var stop = new CancellationTokenSource();
        var runs = limiters.Select(limiter => limiter.RunAsync(stop.Token)).ToList();
        await Eventually.TrueAsync(
            () => limiters.All(limiter => limiter.Status.Activity != RabbitMq.Limiter.LimiterActivity.Down),
            Deadline,
            () => string.Join(" | ", limiters.Select(limiter => limiter.Status.Reason)));
        Console.WriteLine(Ready);
        await Console.In.ReadToEndAsync();
        await stop.CancelAsync();
        await Task.WhenAll(runs);
    }
}
