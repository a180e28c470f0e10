using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Raw;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Benchmarks.Service;
using Retry.Messaging.Tests.Postgres;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>What idempotent consumers cost while every message is new.</summary>
internal sealed class Once : IBenchmark
{
    private const string Queue = "parcels";
    private const int UsualMessages = 10_000;
    private const ushort Prefetch = 400;
    private const int Concurrency = 200;

    public string Name => "once";

    public string Description => "What UseIdempotency costs while every message is new, with each store, enlisted or not";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var messages = context.Messages(UsualMessages);
        await using var host = await MeasuredHost.CreateAsync(context.Broker, cancellationToken);
        await using var raw = await RawClient.ConnectAsync(host.Address, cancellationToken);
        await raw.DeclareAsync(Queue, cancellationToken);
        await using var postgres = InstalledPostgres.Obstacle is null ? await PostgresServer.StartAsync(isDurable: true) : null;
        List<Contender<Sample>> sides =
        [
            new("without", token => RoundAsync(null, isEnlisted: false, token)),
            new("SQLite", async token => await RoundAsync(await OnceDatabase.SqliteAsync(), isEnlisted: false, token)),
            new("SQLite, enlisted", async token => await RoundAsync(await OnceDatabase.SqliteAsync(), isEnlisted: true, token)),
        ];
        if (postgres is not null)
        {
            sides.Add(new("PostgreSQL", async token => await RoundAsync(await OnceDatabase.PostgreSqlAsync(postgres), isEnlisted: false, token)));
            sides.Add(new("PostgreSQL, enlisted", async token => await RoundAsync(await OnceDatabase.PostgreSqlAsync(postgres), isEnlisted: true, token)));
        }

        var samples = await AlternatingRounds.RunAsync(sides, context.Rounds, context.Report, cancellationToken);
        return new BenchmarkResult(
            Name,
            "Idempotent consumers: every message is new",
            $"{messages:N0} messages of {ParcelBody.TextBytes} bytes wait in a quorum queue; a consumer with graded retry takes them, prefetch {Prefetch}, {Concurrency} at once, and does nothing or, enlisted, writes one row. Each round has an empty database; every commit waits for the disk. From the first delivery to the last acknowledgement.{(postgres is null ? $" PostgreSQL is left out: {InstalledPostgres.Obstacle}." : string.Empty)}",
            [.. sides.Select((side, index) => ResultRow.Of(side.Name, samples[index], index == 0 ? null : samples[0]))])
        {
            Others = ResultRow.Others(samples.SelectMany(side => side)),
            Targets = [new("idempotent consumer, SQLite, messages/s", ResultRow.Rate(samples[1]), 5_000, 8_000)],
        };

        async Task<Sample> RoundAsync(OnceDatabase? database, bool isEnlisted, CancellationToken token)
        {
            await using var ends = database;
            await raw.FillAsync(Queue, messages, token);
            var tally = new Tally(messages, context.Broker.ProcessId);
            var receipts = new Receipts(messages);
            Sample sample;
            await using (await BusHost.StartAsync(
                host.Address,
                withRetry: true,
                (registration, cfg) =>
                {
                    cfg.ConnectReceiveObserver(receipts);
                    cfg.ReceiveEndpoint(Queue, e =>
                    {
                        e.SetQuorumQueue();
                        e.PrefetchCount = Prefetch;
                        e.ConcurrentMessageLimit = Concurrency;
                        e.UseGradientRetry(registration);
                        if (database is not null)
                        {
                            e.UseIdempotency(registration);
                        }

                        e.ConfigureConsumer<OnceConsumer>(registration);
                    });
                },
                token,
                (services, x) =>
                {
                    services.AddSingleton(tally).AddSingleton(new OnceConsumer.Work(isEnlisted));
                    database?.AddTo(services);
                    x.AddConsumer<OnceConsumer>();
                }))
            {
                await receipts.AllAsync(token);
                sample = tally.End();
            }

            await raw.ExpectEmptyAsync(Queue, token);
            return sample;
        }
    }
}
