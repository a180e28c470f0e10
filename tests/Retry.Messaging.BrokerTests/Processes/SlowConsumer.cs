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
        var ledger = Environment.GetEnvironmentVariable(LedgerVariable)!;
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
                e.Handler<SlowJob>(job => WorkAsync(job, ledger));
            }),
            hostOptions: options => options.ConsumerStopTimeout = TimeSpan.FromSeconds(2));
        Console.WriteLine(Ready);
        await Task.WhenAny(ended.Task, Console.In.ReadToEndAsync());
        await service.StopAsync();
    }

    private static async Task WorkAsync(ConsumeContext<SlowJob> job, string ledger)
    {
        await Task.Delay(WorkTime, job.CancellationToken);
        var attempt = job.GetRedeliveryCount() + 1;
        // one short line appended in one write: atomic on a local file, so the processes share it
        await using (var file = new FileStream(ledger, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 1))
        {
            await file.WriteAsync(System.Text.Encoding.UTF8.GetBytes($"{job.Message.Id} {attempt}\n"));
        }

        if (attempt == 1)
        {
            throw new InvalidOperationException("the first attempt fails");
        }
    }

    public sealed record SlowJob(string Id);
}
