using System.Globalization;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.Decisions;

namespace Retry.Messaging.BrokerTests.Ledger;

/// <summary>An idempotent consumer in a process of its own that enters charges into the books, answers and books, to be killed and stopped at any moment.</summary>
internal sealed class LedgerConsumer(Books books, LedgerConsumer.Mode mode) : IConsumer<LedgerMessages.Charge>
{
    public const string Queue = "ledger";

    private const string Prefix = "LEDGER_CONSUMER_";

    /// <summary>How the consumer writes.</summary>
    /// <param name="Enlisted">In the transaction that marks the message as done. Otherwise by itself, and the books are asked after a lease has run out.</param>
    /// <param name="Lease">How long a key belongs to one delivery.</param>
    /// <param name="Prefetch">How many messages it has at a time.</param>
    public sealed record Mode(bool Enlisted, TimeSpan Lease, ushort Prefetch = 16);

    /// <summary>What a process is told.</summary>
    public static Dictionary<string, string> Environment(Uri broker, string database, string connectionString, Mode mode) => new()
    {
        [Prefix + "BROKER"] = broker.ToString(),
        [Prefix + "DATABASE"] = database,
        [Prefix + "CONNECTION"] = connectionString,
        [Prefix + "ENLISTED"] = mode.Enlisted.ToString(),
        [Prefix + "LEASE_SECONDS"] = mode.Lease.TotalSeconds.ToString(CultureInfo.InvariantCulture),
        [Prefix + "PREFETCH"] = mode.Prefetch.ToString(CultureInfo.InvariantCulture),
    };

    public static async Task RunAsync()
    {
        var stops = new StopStep();
        await using var service = await StartAsync(
            new Uri(Told("BROKER")),
            new Books(Told("DATABASE"), stops.Watch(Told("DATABASE"), Told("CONNECTION"))),
            new Mode(
                bool.Parse(Told("ENLISTED")),
                TimeSpan.FromSeconds(double.Parse(Told("LEASE_SECONDS"), CultureInfo.InvariantCulture)),
                ushort.Parse(Told("PREFETCH"), CultureInfo.InvariantCulture)));
        stops.Begin(service.Bus);
        await Task.Run(Console.In.ReadToEnd);
    }

    public static Task<RetryService> StartAsync(Uri broker, Books books, Mode mode) => RetryService.StartAsync(
        broker,
        (context, cfg) => cfg.ReceiveEndpoint(Queue, e =>
        {
            e.SetQuorumQueue();
            // as 'retryctl topology apply' has it by policy: RabbitMQ 4 would drop what was cut off twenty times
            e.SetQueueArgument("x-delivery-limit", 1000);
            e.PrefetchCount = mode.Prefetch;
            e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(500)).Retries(100));
            e.UseIdempotency(context, once =>
            {
                once.KeyedBy<LedgerMessages.Charge>(charge => charge.PaymentId);
                once.Lease(mode.Lease);
                if (!mode.Enlisted)
                {
                    once.AfterExpiredLease<LedgerMessages.Charge>(async charge =>
                    {
                        var happened = await books.HasAsync(charge.Message.PaymentId);
                        if (happened)
                        {
                            await AnswerAsync(charge);
                        }

                        return happened;
                    });
                }
            });
            e.ConfigureConsumer<LedgerConsumer>(context);
        }),
        x =>
        {
            x.AddGradientRetry(options => options.Suspicion = new CrashSuspicion { Longest = TimeSpan.FromSeconds(2) });
            x.AddConsumer<LedgerConsumer>();
        },
        services: services => books.AddStore(services).AddSingleton(books).AddSingleton(mode));

    public async Task Consume(ConsumeContext<LedgerMessages.Charge> context)
    {
        var charge = context.Message;
        var fails = context.GetRedeliveryCount() < charge.Failures;
        if (mode.Enlisted)
        {
            // what fails has written before
            var transaction = await context.EnlistAsync(context.CancellationToken);
            await Books.EnterAsync(transaction.Connection, transaction.Transaction, charge.PaymentId, charge.Cents);
        }
        else if (!fails)
        {
            await books.EnterAloneAsync(charge.PaymentId, charge.Cents);
        }

        await AnswerAsync(context);
        if (fails)
        {
            throw new TimeoutException("the bank does not answer yet");
        }
    }

    private static async Task AnswerAsync(ConsumeContext<LedgerMessages.Charge> context)
    {
        await context.Publish(new LedgerMessages.Booked(context.Message.PaymentId, $"entry {Guid.NewGuid()}"), booked => booked.CorrelationId = Guid.NewGuid());
        await context.RespondAsync(
            new LedgerMessages.Charged(context.Message.PaymentId, $"receipt {Guid.NewGuid()}"),
            charged => charged.CorrelationId = Guid.NewGuid());
    }

    private static string Told(string variable) => System.Environment.GetEnvironmentVariable(Prefix + variable)!;
}
