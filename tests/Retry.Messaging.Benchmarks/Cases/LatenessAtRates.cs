using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Raw;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>How late messages come back from one delay, at several rates.</summary>
/// <param name="delay">The delay.</param>
/// <param name="name">How it is spelt.</param>
/// <param name="hops">How many rungs it takes.</param>
/// <param name="slot">How long each side is fed at each rate in each round.</param>
internal sealed class LatenessAtRates(TimeSpan delay, string name, string hops, TimeSpan slot) : IBenchmark
{
    private const int PromisedFor = 1000;
    private static readonly int[] Rates = [100, 1000, 3000];
    private static readonly TimeSpan LongDelay = TimeSpan.FromSeconds(10);
    // slots of a long delay follow each other without waiting, as long as nothing comes back in between
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(2);

    public string Name => "lateness-" + name;

    public string Description => $"How late messages come back after {name} ({hops}), against the raw ladder";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        await using var host = await MeasuredHost.CreateAsync(context.Broker, cancellationToken);
        await using var raw = await RawClient.ConnectAsync(host.Address, cancellationToken);
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder, cancellationToken: cancellationToken);
        var slots = (context.Rounds + 1) * Rates.Length;
        await using var rawSide = await LatenessSide.StartRawAsync(raw, () => delay, slots, cancellationToken);
        await using var ours = await LatenessSide.StartOursAsync(host.Address, raw, () => delay, slots, cancellationToken);
        await using var publisher = await RawPublisher.OpenAsync(raw.Connection, cancellationToken);

        var found = new Dictionary<(string Side, int Rate), List<Percentiles>>();
        List<(string Side, int Rate, bool Counts, Task<Percentiles> Group)> waiting = [];
        var stretch = Stretch.Start(context.Broker.ProcessId);
        var fed = 0;
        var sinceWait = TimeSpan.Zero;
        for (var round = 0; round <= context.Rounds; round++)
        {
            foreach (var rate in round == 0 ? [PromisedFor] : Rates)
            {
                foreach (var side in round % 2 == 0 ? [rawSide, ours] : (LatenessSide[])[ours, rawSide])
                {
                    context.Report($"{(round == 0 ? "warm-up" : $"round {round} of {context.Rounds}")}: {side.Name} at {rate} per second");
                    var count = Math.Min(context.Messages((int)(rate * slot.TotalSeconds)), LatenessSide.GroupSize);
                    var (group, first) = side.Open(count);
                    await Pace.RunAsync(rate, count, number => side.FeedAsync(publisher, first + number, cancellationToken), cancellationToken);
                    waiting.Add((side.Name, rate, round > 0, group.FinishedAsync(cancellationToken)));
                    fed += count;
                    sinceWait += slot;
                    if (delay < LongDelay || sinceWait + slot + Margin > delay)
                    {
                        await CollectAsync();
                        sinceWait = TimeSpan.Zero;
                    }
                }
            }
        }

        await CollectAsync();
        var sample = stretch.End(fed);
        var promised = Figure.Ratio("x", P99(ours.Name, PromisedFor), P99(rawSide.Name, PromisedFor));
        return new BenchmarkResult(
            Name,
            $"Lateness after {name} ({hops})",
            $"Messages come in at a steady rate for {slot.TotalSeconds:0.#} s and fail at once; late is the time from failure plus {name} to the start of the next attempt, by one monotonic clock. Negative would be early. The first comes back when the last has failed, so these are bursts: kept up for longer, 3,000 a second is more than two cores carry, on either side.",
            [.. from rate in Rates from side in new[] { rawSide.Name, ours.Name } select Row(side, rate)])
        {
            Others = ResultRow.Others([sample]),
            Targets = [new($"lateness p99 vs raw ladder, 1,000/s, {name}", promised, 1.3, 1.1)],
        };

        async Task CollectAsync()
        {
            foreach (var (side, rate, counts, group) in waiting)
            {
                var percentiles = await group;
                if (counts)
                {
                    if (!found.TryGetValue((side, rate), out var list))
                    {
                        found[(side, rate)] = list = [];
                    }

                    list.Add(percentiles);
                }
            }

            waiting.Clear();
        }

        Figure P99(string side, int rate) => new("p99 ms", [.. found[(side, rate)].Select(group => group.P99)], 1);

        ResultRow Row(string side, int rate) => new($"{rate:N0}/s, {side}", LatenessFigures.Of(found[(side, rate)]));
    }
}
