using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>A message that fails once and comes back by way of two rungs.</summary>
internal sealed class RetryCycleTwoHops : IBenchmark
{
    private const int UsualMessages = 5_000;

    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(1100);

    public string Name => "retry-cycle-two-hops";

    public string Description => "Fail once, two hops: against a raw loop over the same ladder";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        await using var rounds = await FailOnceRounds.PrepareAsync(context, context.Messages(UsualMessages), cancellationToken);
        var samples = await AlternatingRounds.RunAsync<Sample>(
            [
                new("raw", token => rounds.RawAsync(Delay, withHeaders: false, token)),
                new("ours", token => rounds.OursAsync("ours", retry => retry.Fixed(Delay).Retries(3), token)),
            ],
            context.Rounds,
            context.Report,
            cancellationToken);
        var (raw, ours) = (samples[0], samples[1]);
        return new BenchmarkResult(
            Name,
            "Retry cycle over two hops",
            rounds.Method("the ladder for 1.1 s (two hops)"),
            [ResultRow.Of("raw", raw), ResultRow.Of("ours", ours, raw)])
        {
            Others = ResultRow.Others(samples.SelectMany(side => side)),
            Targets = [new("retry cycle vs raw, two hops", Figure.Ratio("x", ResultRow.Rate(ours), ResultRow.Rate(raw)), 0.85, 0.92)],
        };
    }
}
