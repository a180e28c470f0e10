using System.Globalization;
using System.Runtime.InteropServices;
using MassTransit;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>A consumer that takes its time; ended by SIGTERM. Unless told otherwise it takes ten seconds, fails the first time and succeeds the second.</summary>
internal static class SlowConsumer
{
    public const string BrokerVariable = "SLOW_CONSUMER_BROKER";
    public const string LedgerVariable = "SLOW_CONSUMER_LEDGER";
    public const string WorkSecondsVariable = "SLOW_CONSUMER_WORK_SECONDS";
    public const string StopSecondsVariable = "SLOW_CONSUMER_STOP_SECONDS";
    public const string PrefetchVariable = "SLOW_CONSUMER_PREFETCH";
    public const string SucceedsVariable = "SLOW_CONSUMER_SUCCEEDS";
    public const string QuorumVariable = "SLOW_CONSUMER_QUORUM";
    public const string PlainVariable = "SLOW_CONSUMER_PLAIN";
    public const string Ready = "ready";

    /// <summary>What the name of a file of log lines ends with.</summary>
    public const string Log = ".log";

    public static async Task RunAsync()
    {
        var broker = new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!);
        // one file for each process: .NET appends by position, so two writers of one file overwrite each other
        var ledger = Path.Combine(Environment.GetEnvironmentVariable(LedgerVariable)!, $"{Environment.ProcessId}-{Guid.NewGuid():N}");
        await using var writer = new StreamWriter(ledger) { AutoFlush = true };
        var lines = TextWriter.Synchronized(writer);
        using var log = new LogLines();
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
                e.PrefetchCount = (ushort)Number(PrefetchVariable, 16);
                if (Is(QuorumVariable))
                {
                    e.SetQuorumQueue();
                    // as 'retryctl topology apply' has it by policy: RabbitMQ 4 would drop what was cut off twenty times
                    e.SetQueueArgument("x-delivery-limit", 1000);
                }

                if (Is(PlainVariable))
                {
                    e.DisableGradientRetry();
                }
                else
                {
                    e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(200)).Retries(3));
                }

                e.Handler<SlowJob>(job => WorkAsync(job, lines));
            }),
            hostOptions: options => options.ConsumerStopTimeout = TimeSpan.FromSeconds(Number(StopSecondsVariable, 2)),
            services: log.AddTo);
        Console.WriteLine(Ready);
        // the console's reader blocks even when asked to read asynchronously
        await Task.WhenAny(ended.Task, Task.Run(Console.In.ReadToEnd));
        await service.StopAsync();
        await File.WriteAllLinesAsync(ledger + Log, log.Lines);
    }

    private static double Number(string variable, double otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { } number ? double.Parse(number, CultureInfo.InvariantCulture) : otherwise;

    private static bool Is(string variable) => Environment.GetEnvironmentVariable(variable) == bool.TrueString;

    private static async Task WorkAsync(ConsumeContext<SlowJob> job, TextWriter ledger)
    {
        await Simulate.WorkAsync(TimeSpan.FromSeconds(Number(WorkSecondsVariable, 10)), job.CancellationToken);
        var attempt = job.GetRedeliveryCount() + 1;
        ledger.WriteLine($"{job.Message.Id} {attempt}");
        if (attempt == 1 && !Is(SucceedsVariable))
        {
            throw new InvalidOperationException("the first attempt fails");
        }
    }

    public sealed record SlowJob(string Id);
}
