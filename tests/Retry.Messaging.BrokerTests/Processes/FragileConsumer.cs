using System.Globalization;
using MassTransit;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.Decisions;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>A consumer that one message kills: no exception, no shutdown, the process is gone.</summary>
internal static class FragileConsumer
{
    public const string BrokerVariable = "FRAGILE_CONSUMER_BROKER";
    public const string LedgerVariable = "FRAGILE_CONSUMER_LEDGER";
    public const string LongestVariable = "FRAGILE_CONSUMER_KEEPS_AWAY_SECONDS";
    public const string Queue = "fragile";

    public static async Task RunAsync()
    {
        var broker = new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!);
        var longest = TimeSpan.FromSeconds(double.Parse(Environment.GetEnvironmentVariable(LongestVariable)!, CultureInfo.InvariantCulture));
        var ledger = Path.Combine(Environment.GetEnvironmentVariable(LedgerVariable)!, $"{Environment.ProcessId}-{Guid.NewGuid():N}");
        await using var writer = new StreamWriter(ledger) { AutoFlush = true };
        var lines = TextWriter.Synchronized(writer);
        await using var service = await RetryService.StartAsync(
            broker,
            (context, cfg) => cfg.ReceiveEndpoint(Queue, e =>
            {
                e.SetQuorumQueue();
                e.PrefetchCount = 200;
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(200)).Retries(3));
                e.Handler<Cargo>(cargo =>
                {
                    if (cargo.Message.Kills)
                    {
                        Environment.FailFast("the message that kills");
                    }

                    lines.WriteLine(cargo.Message.Number.ToString(CultureInfo.InvariantCulture));
                    return Task.CompletedTask;
                });
            }),
            x => x.AddGradientRetry(options => options.Suspicion = new CrashSuspicion { Shortest = longest / 6, Longest = longest }));
        await Task.Run(Console.In.ReadToEnd);
    }

    public sealed record Cargo(int Number, bool Kills);
}
