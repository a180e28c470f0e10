using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Benchmarks.Service;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Tests.Postgres;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>Whether a store with many marks is as fast as one with few.</summary>
internal sealed class OnceMarks : IBenchmark
{
    private const int UsualMarks = 1_000_000;
    private const int LookUps = 1_000;
    private const int UsualBatch = 500;
    private const string Consumer = "parcels/Retry.Messaging.Benchmarks.Service.OnceConsumer/Retry.Messaging.Benchmarks.Service.Parcel";

    public string Name => "marks";

    public string Description => "Look-up and pruning of an idempotency store with 1,000,000 marks against one with 10,000, and its size";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var many = context.Messages(UsualMarks);
        var few = Math.Max(1, many / 100);
        var batch = Math.Clamp(few / (2 * (context.Rounds + 1)), 1, UsualBatch);
        await using var postgres = InstalledPostgres.Obstacle is null ? await PostgresServer.StartAsync(isDurable: true) : null;
        List<(string Name, Func<Task<OnceDatabase>> Create)> stores = [("SQLite", OnceDatabase.SqliteAsync)];
        if (postgres is not null)
        {
            stores.Add(("PostgreSQL", () => OnceDatabase.PostgreSqlAsync(postgres)));
        }

        List<ResultRow> rows = [];
        List<TargetCheck> targets = [];
        foreach (var (name, create) in stores)
        {
            await using var database = await create();
            var services = new ServiceCollection().AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
            database.AddTo(services);
            await using var provider = services.BuildServiceProvider();
            var store = provider.GetRequiredService<IIdempotencyStore>();
            await store.PruneAsync(1, cancellationToken); // makes the table
            var withFew = await MeasureAsync(few, few);
            var withMany = await MeasureAsync(many, many - few);
            rows.Add(new ResultRow($"{name}, {few:N0} marks", withFew));
            rows.Add(new ResultRow($"{name}, {many:N0} marks", withMany));
            targets.Add(new($"{name}, {many:N0} marks: look-up time vs {few:N0}", Figure.Ratio("x", withMany[0], withFew[0]), 2, 1.2));
            targets.Add(new($"{name}, {many:N0} marks: pruning time vs {few:N0}", Figure.Ratio("x", withMany[1], withFew[1]), 2, 1.2));

            async Task<Figure[]> MeasureAsync(int marks, int more)
            {
                context.Report($"{name}: {marks:N0} marks");
                var first = await LastAsync(database) + 1;
                await database.ExecuteAsync(database.Marks.Replace("@first", Text(first), StringComparison.Ordinal).Replace("@last", Text(first + more - 1), StringComparison.Ordinal));
                if (name == "PostgreSQL")
                {
                    await database.ExecuteAsync("VACUUM ANALYZE retry_once"); // as its own daemon does after so many rows
                }

                var bytes = await database.BytesAsync();
                List<double> lookUps = [], prunings = [];
                for (var round = 0; round <= context.Rounds; round++)
                {
                    var lookUp = await LookUpAsync(store, first, first + more, cancellationToken);
                    var began = Stopwatch.GetTimestamp();
                    var pruned = await store.PruneAsync(batch, cancellationToken);
                    var pruning = Stopwatch.GetElapsedTime(began).TotalMicroseconds / Math.Max(1, pruned);
                    if (round > 0)
                    {
                        lookUps.Add(lookUp);
                        prunings.Add(pruning);
                    }
                }

                return [new("look-up µs", lookUps), new("pruning µs each", prunings, 1), new("MB", [bytes / 1e6], 1), new("bytes a mark", [(double)bytes / marks])];
            }
        }

        return new BenchmarkResult(
            Name,
            "Idempotency store: many marks",
            $"Marks of done messages without answers, keyed by message id. {LookUps:N0} duplicates, one after the other, are looked up by random keys; then {batch} of the oldest are pruned in one transaction. The marks are written by one statement, and the size includes all indexes.",
            rows)
        { Targets = targets };
    }

    private static async Task<double> LookUpAsync(IIdempotencyStore store, long first, long end, CancellationToken cancellationToken)
    {
        // the young half: the old one is pruned meanwhile
        var began = Stopwatch.GetTimestamp();
        for (var look = 0; look < LookUps; look++)
        {
            var key = $"{Random.Shared.NextInt64((first + end) / 2, end):x8}-0000-0000-0000-000000000000";
            var request = new IdempotencyRequest(new IdempotencyKey(Consumer, key), new string('0', 64), TimeSpan.FromMinutes(1));
            if (await store.AcquireAsync(request, cancellationToken) is not IdempotencyVerdict.Ended)
            {
                throw new BenchmarkException($"The mark {key} was not found: the figures would mean nothing.");
            }
        }

        return Stopwatch.GetElapsedTime(began).TotalMicroseconds / LookUps;
    }

    private static async Task<long> LastAsync(OnceDatabase database) =>
        Convert.ToInt64(await database.ExecuteAsync("SELECT coalesce(max(token), 0) FROM retry_once"), CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
