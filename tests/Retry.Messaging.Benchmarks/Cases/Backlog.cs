using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Raw;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Benchmarks.Service;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>What many waiting messages cost those that come and go beside them.</summary>
internal sealed class Backlog : IBenchmark
{
    private const int UsualMessages = 1_000_000;
    private const int Published = 5_000;
    private const int Redelivered = 1_000;
    private const ushort Prefetch = 200;
    private const string Queue = "backlogged";
    private const double Mebibyte = 1024 * 1024;

    private static readonly TimeSpan Waiting = TimeSpan.FromHours(5);
    private static readonly TimeSpan Cycle = TimeSpan.FromMilliseconds(100);

    public string Name => "backlog";

    public string Description => "Publish and redelivery rate and memory with nothing, 100,000 and 1,000,000 messages waiting";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var most = context.Messages(UsualMessages);
        var (published, redelivered) = (Math.Min(Published, most), Math.Min(Redelivered, most));
        await using var host = await MeasuredHost.CreateAsync(context.Broker, cancellationToken);
        await using var raw = await RawClient.ConnectAsync(host.Address, cancellationToken);
        await raw.DeclareAsync(Queue, cancellationToken);
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder.Then(TopologyPlan.Point(RetryPointNames.For(Queue), withRelease: false)), cancellationToken: cancellationToken);
        var route = DelayLadder.Route(Waiting, Queue);
        var rung = BrokerNames.Rung(DelayLadder.Levels.Single(level => level.Unit == TimeSpan.FromHours(1)), (int)Waiting.TotalHours);
        await using var publisher = new ConfirmedPublisher(raw.Connection);

        List<Sample> all = [];
        await MeasureAsync("warm-up", 1, keepsEmpty: true);
        all.Clear();
        var empty = await MeasureAsync("nothing waits", context.Rounds, keepsEmpty: true);
        await FillUpAsync(most / 10);
        var tenth = await MeasureAsync($"{most / 10:N0} wait", context.Rounds);
        await FillUpAsync(most);
        var full = await MeasureAsync($"{most:N0} wait", context.Rounds);
        context.Report("emptying the rung");
        await raw.PurgeAsync(rung, cancellationToken);
        var again = await MeasureAsync("nothing waits again", context.Rounds, keepsEmpty: true);
        return new BenchmarkResult(
            Name,
            "Backlog: many messages wait on one rung",
            $"So many messages of {ParcelBody.TextBytes} bytes wait on one rung (5 h). Published: {published:N0} more go to that rung, mandatory and confirmed, by the publisher that the filter uses, which has up to {ConfirmedPublisher.DefaultWindow:N0} unconfirmed. Redelivered: {redelivered:N0} fail once and come back after 100 ms. One situation after the other, since all share a broker; the last one tells how much the machine has changed meanwhile. Memory: what the two processes hold (RSS).",
            [empty.Row(), tenth.Row(empty), full.Row(empty), again.Row(empty)])
        {
            Others = ResultRow.Others(all),
            Targets = [new($"{most:N0} waiting: publish rate vs empty", new Figure("x", [full.Rate.Median / empty.Rate.Median], 2), 0.8, 0.95)],
        };

        async Task FillUpAsync(int wanted)
        {
            context.Report($"filling the rung up to {wanted:N0}");
            await raw.FillAlikeAsync(rung, Math.Max(0, wanted - (int)await raw.CountAsync(rung, cancellationToken)), ParcelBody.TextBytes, cancellationToken);
        }

        async Task<Situation> MeasureAsync(string name, int rounds, bool keepsEmpty = false)
        {
            List<Sample> publishes = [];
            List<Sample> cycles = [];
            for (var round = 1; round <= rounds; round++)
            {
                context.Report($"{name}: round {round} of {rounds}");
                publishes.Add(await PublishAsync());
                cycles.Add(await CycleAsync());
                if (keepsEmpty)
                {
                    await raw.PurgeAsync(rung, cancellationToken);
                }
            }

            all.AddRange([.. publishes, .. cycles]);
            return new Situation(name, publishes, cycles, ProcessMemory.Of(context.Broker.ProcessId) / Mebibyte, ProcessMemory.Of(Environment.ProcessId) / Mebibyte);
        }

        async Task<Sample> PublishAsync()
        {
            var (properties, body) = (ParcelBody.Properties(0), ParcelBody.Of(0));
            var stretch = Stretch.Start(context.Broker.ProcessId);
            await Task.WhenAll(Enumerable.Range(0, published).Select(_ => publisher.PublishAsync(route.Exchange, route.RoutingKey, properties, body, cancellationToken)));
            return stretch.End(published);
        }

        async Task<Sample> CycleAsync()
        {
            await raw.FillAsync(Queue, redelivered, cancellationToken);
            var tally = new Tally(redelivered, context.Broker.ProcessId);
            await using var service = await FailsOnceService.StartAsync(host.Address, Queue, Prefetch, retry => retry.Fixed(Cycle).Retries(3), tally, cancellationToken);
            return await tally.FinishedAsync(cancellationToken);
        }
    }

    private sealed record Situation(string Name, IReadOnlyList<Sample> Publishes, IReadOnlyList<Sample> Cycles, double? BrokerMemory, double? ClientMemory)
    {
        public Figure Rate => ResultRow.Rate(Publishes) with { Name = "published/s" };

        public ResultRow Row(Situation? empty = null)
        {
            var cycles = ResultRow.Rate(Cycles) with { Name = "redelivered/s" };
            List<Figure> figures = [Rate];
            if (empty is not null)
            {
                figures.Add(new Figure("x empty, published", [Rate.Median / empty.Rate.Median], 2));
            }

            figures.Add(cycles);
            if (empty is not null)
            {
                figures.Add(new Figure("x empty, redelivered", [cycles.Median / ResultRow.Rate(empty.Cycles).Median], 2));
            }

            if (BrokerMemory is { } broker && ClientMemory is { } client)
            {
                figures.Add(new Figure("broker MiB", [broker]));
                figures.Add(new Figure("client MiB", [client]));
            }

            return new ResultRow(Name, figures);
        }
    }
}
