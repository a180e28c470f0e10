using System.Globalization;
using MassTransit;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.Decisions;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>A consumer that one message kills: no exception, no shutdown, the process is gone.</summary>
internal static class FragileConsumer
{
    public const string BrokerVariable = "FRAGILE_CONSUMER_BROKER";
    public const string LedgerVariable = "FRAGILE_CONSUMER_LEDGER";
    public const string LongestVariable = "FRAGILE_CONSUMER_KEEPS_AWAY_SECONDS";
    public const string ClassicVariable = "FRAGILE_CONSUMER_CLASSIC";
    public const string LimitedVariable = "FRAGILE_CONSUMER_LIMITED";
    public const string Queue = "fragile";

    private static readonly TimeSpan BeforeItKills = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SlowWork = TimeSpan.FromMilliseconds(300);

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
                if (!Is(ClassicVariable))
                {
                    e.SetQuorumQueue();
                }

                e.PrefetchCount = 200;
                e.UseGradientRetry(context, retry =>
                {
                    retry.Fixed(TimeSpan.FromMilliseconds(200)).Retries(3);
                    if (Is(LimitedVariable))
                    {
                        retry.LimitRedelivery(100);
                    }
                });
                e.Handler<Cargo>(async cargo =>
                {
                    if (cargo.Message.Kills)
                    {
                        // by then its quick neighbours are acknowledged: what is done twice afterwards was forked
                        await Simulate.WorkAsync(BeforeItKills);
                        Environment.FailFast("the message that kills");
                    }

                    if (IsSlow(cargo.Message.Number))
                    {
                        await Simulate.WorkAsync(SlowWork);
                    }

                    lines.WriteLine(cargo.Message.Number.ToString(CultureInfo.InvariantCulture));
                });
            }),
            x => x.AddGradientRetry(options => options.Suspicion = new CrashSuspicion { Longest = longest }));
        await Task.Run(Console.In.ReadToEnd);
    }

    // one in ten is cut off when the process dies
    private static bool IsSlow(int number) => number % 10 == 0;

    private static bool Is(string variable) => Environment.GetEnvironmentVariable(variable) == bool.TrueString;

    public sealed record Cargo(int Number, bool Kills);
}
