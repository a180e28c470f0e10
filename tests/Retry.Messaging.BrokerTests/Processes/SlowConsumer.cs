using System.Runtime.InteropServices;
using MassTransit;
using Retry.Messaging.BrokerTests.MassTransit;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>A consumer that takes ten seconds, fails the first time and succeeds the second; ended by SIGTERM.</summary>
internal static class SlowConsumer
{
    public const string BrokerVariable = "SLOW_CONSUMER_BROKER";
    public const string LedgerVariable = "SLOW_CONSUMER_LEDGER";
    public const string Ready = "ready";

    public static readonly TimeSpan WorkTime = TimeSpan.FromSeconds(10);

    public static async Task RunAsync()
    {
        var broker = new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!);
        // one file for each process: .NET appends by position, so two writers of one file overwrite each other
        var ledger = Path.Combine(Environment.GetEnvironmentVariable(LedgerVariable)!, $"{Environment.ProcessId}-{Guid.NewGuid():N}");
        await using var writer = new StreamWriter(ledger) { AutoFlush = true };
        var lines = TextWriter.Synchronized(writer);
        var ended = new TaskCompletionSource();
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            ended.TrySetResult();
        });
        await using var service = await RetryService.StartAsync(
            broker,
            (context, cfg) => cfg.ReceiveEndpoint("slow", e =>
            {
                e.PrefetchCount = 16;
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(200)).Retries(3));
                e.Handler<SlowJob>(job => WorkAsync(job, lines));
            }),
            hostOptions: options => options.ConsumerStopTimeout = TimeSpan.FromSeconds(2));
        Console.WriteLine(Ready);
        // the console's reader blocks even when asked to read asynchronously
        await Task.WhenAny(ended.Task, Task.Run(Console.In.ReadToEnd));
        await service.StopAsync();
    }

    private static async Task WorkAsync(ConsumeContext<SlowJob> job, TextWriter ledger)
    {
        await Task.Delay(WorkTime, job.CancellationToken);
        var attempt = job.GetRedeliveryCount() + 1;
        ledger.WriteLine($"{job.Message.Id} {attempt}");
        if (attempt == 1)
        {
            throw new InvalidOperationException("the first attempt fails");
        }
    }

    public sealed record SlowJob(string Id);
}
