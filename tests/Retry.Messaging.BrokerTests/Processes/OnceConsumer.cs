using System.Diagnostics;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.Decisions;
using Retry.Messaging.Tests.Idempotency;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>An idempotent consumer that writes, answers and books, and may be killed on the way.</summary>
internal static class OnceConsumer
{
    public const string BrokerVariable = "ONCE_CONSUMER_BROKER";
    public const string StoreVariable = "ONCE_CONSUMER_STORE";
    public const string DiesVariable = "ONCE_CONSUMER_DIES";
    public const string Queue = "once";
    public const string Working = "working";

    /// <summary>Longer than a run takes, shorter than a test may.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Work = TimeSpan.FromSeconds(1);

    /// <summary>Where the process is killed.</summary>
    public enum Dies
    {
        Never,
        Written,
        Committed,
        Sent,
    }

    public static async Task RunAsync()
    {
        await using var service = await StartAsync(
            new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!),
            Environment.GetEnvironmentVariable(StoreVariable)!,
            Enum.Parse<Dies>(Environment.GetEnvironmentVariable(DiesVariable)!),
            // one that sleeps takes no more than it has
            prefetch: 1);
        await Task.Run(Console.In.ReadToEnd);
    }

    public static async Task<RetryService> StartAsync(Uri broker, string store, Dies dies = Dies.Never, ushort prefetch = 16)
    {
        var service = await RetryService.StartAsync(
            broker,
            (context, cfg) => cfg.ReceiveEndpoint(Queue, e =>
            {
                e.SetQuorumQueue();
                e.PrefetchCount = prefetch;
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(200)).Retries(1));
                e.UseIdempotency(context, once =>
                {
                    once.KeyedBy<OnceMessages.Charge>(charge => charge.PaymentId);
                    once.Lease(Lease);
                });
                e.ConfigureConsumer<ChargeConsumer>(context);
            }),
            x =>
            {
                x.AddGradientRetry(options => options.Suspicion = new CrashSuspicion { Longest = TimeSpan.FromSeconds(2) });
                x.AddConsumer<ChargeConsumer>();
            },
            services: services =>
            {
                services.AddSingleton(new Fate(dies));
                if (store.StartsWith("Host=", StringComparison.Ordinal))
                {
                    services.AddPostgreSqlIdempotency(store);
                }
                else
                {
                    services.AddSqliteIdempotency(store);
                }
            });
        service.Bus.ConnectSendObserver(service.Services.GetRequiredService<Fate>());
        return service;
    }

    internal sealed class ChargeConsumer(Fate fate) : IConsumer<OnceMessages.Charge>
    {
        public async Task Consume(ConsumeContext<OnceMessages.Charge> context)
        {
            Console.WriteLine(Working);
            await Simulate.WorkAsync(Work);
            await SqliteFile.WriteAsync(await context.EnlistAsync(), "charged");
            fate.Reaches(Dies.Written);
            await context.Publish(new OnceMessages.Booked($"entry {Guid.NewGuid()}"), booked => booked.CorrelationId = Guid.NewGuid());
            await context.RespondAsync(new OnceMessages.Charged($"receipt {Guid.NewGuid()}"));
        }
    }

    /// <summary>Kills the process at one place.</summary>
    internal sealed class Fate(Dies dies) : ISendObserver
    {
        public void Reaches(Dies place)
        {
            if (place == dies)
            {
                Process.GetCurrentProcess().Kill();
            }
        }

        public Task PreSend<T>(SendContext<T> context)
            where T : class
        {
            Reaches(Dies.Committed);
            return Task.CompletedTask;
        }

        public Task PostSend<T>(SendContext<T> context)
            where T : class
        {
            Reaches(Dies.Sent);
            return Task.CompletedTask;
        }

        public Task SendFault<T>(SendContext<T> context, Exception exception)
            where T : class => Task.CompletedTask;
    }
}
