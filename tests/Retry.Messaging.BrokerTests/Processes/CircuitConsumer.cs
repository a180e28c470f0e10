using System.Globalization;
using MassTransit;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.Decisions;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>A consumer whose target is ill while a file is there. It writes each call into a ledger of its own, and may be killed.</summary>
internal static class CircuitConsumer
{
    public const string BrokerVariable = "CIRCUIT_CONSUMER_BROKER";
    public const string DirectoryVariable = "CIRCUIT_CONSUMER_DIRECTORY";
    public const string BreakerVariable = "CIRCUIT_CONSUMER_BREAKER";
    public const string IntervalVariable = "CIRCUIT_CONSUMER_INTERVAL";

    /// <summary>The delay of each retry, in seconds.</summary>
    public const string DelayVariable = "CIRCUIT_CONSUMER_DELAY";

    /// <summary>How many deliveries may begin in a second in the whole cluster; 0 for any number.</summary>
    public const string CapVariable = "CIRCUIT_CONSUMER_CAP";

    /// <summary>How many deliveries may begin at once under that cap.</summary>
    public const int Burst = 10;

    /// <summary>How long a call takes that is answered, in milliseconds. One that fails does so at once.</summary>
    public const string WorkVariable = "CIRCUIT_CONSUMER_WORK";
    public const string Ready = "ready";

    /// <summary>The file that makes the target ill: for all, or for the process whose id it ends with.</summary>
    public const string IllFile = "ill";

    /// <summary>The beginning of the ledgers' names.</summary>
    public const string Ledger = "calls.";

    public static async Task RunAsync()
    {
        var directory = Environment.GetEnvironmentVariable(DirectoryVariable)!;
        await using var ledger = new StreamWriter(Path.Combine(directory, $"{Ledger}{Environment.ProcessId}")) { AutoFlush = true };
        var ill = Path.Combine(directory, IllFile);
        var illHere = $"{ill}.{Environment.ProcessId}";
        var work = TimeSpan.FromMilliseconds(double.Parse(Environment.GetEnvironmentVariable(WorkVariable)!, CultureInfo.InvariantCulture));
        var interval = TimeSpan.FromSeconds(double.Parse(Environment.GetEnvironmentVariable(IntervalVariable)!, CultureInfo.InvariantCulture));
        var delay = TimeSpan.FromSeconds(double.Parse(Environment.GetEnvironmentVariable(DelayVariable)!, CultureInfo.InvariantCulture));
        var cap = double.Parse(Environment.GetEnvironmentVariable(CapVariable)!, CultureInfo.InvariantCulture);
        await using var service = await RetryService.StartAsync(
            new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!),
            (context, bus) => bus.ReceiveEndpoint("payments", endpoint =>
            {
                endpoint.SetQuorumQueue();
                endpoint.PrefetchCount = 16;
                endpoint.ConcurrentMessageLimit = work > TimeSpan.Zero ? 1 : null;
                endpoint.UseGradientRetry(context, retry =>
                {
                    retry.Fixed(delay).Retries(100);
                    retry.Breaker(Environment.GetEnvironmentVariable(BreakerVariable) == "on", interval);
                    if (cap > 0)
                    {
                        retry.LimitDelivery(cap, Burst);
                    }
                });
                endpoint.Handler<Charge>(async charge =>
                {
                    var fails = File.Exists(ill) || File.Exists(illHere);
                    if (!fails && work > TimeSpan.Zero)
                    {
                        await Simulate.WorkAsync(work, charge.CancellationToken);
                    }

                    lock (ledger)
                    {
                        ledger.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow.Ticks} {charge.Message.Number} {(fails ? "failed" : "done")} {charge.GetRetryChain().Attempt}"));
                    }

                    if (fails)
                    {
                        throw new InvalidOperationException("the gateway is away");
                    }
                });
            }),
            x => x.AddGradientRetry(options => options.Suspicion = new CrashSuspicion { Longest = TimeSpan.FromSeconds(2) }));
        Console.WriteLine(Ready);
        // the console's reader blocks even when asked to read asynchronously
        await Task.Run(Console.In.ReadToEnd);
    }

    public sealed record Charge(int Number);
}
