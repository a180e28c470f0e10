using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Benchmarks.Service;
using Retry.Messaging.Configuration;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>A message that fails once: consumed, sent up one rung, consumed again.</summary>
internal sealed class RetryCycle : IBenchmark
{
    private const int UsualMessages = 5_000;
    // as high as a cap may be: the way through the limiter is what costs, nothing waits for its turn
    private const int NoCap = 1_000_000;

    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(100);

    public string Name => "retry-cycle";

    public string Description => "Fail once, one hop: against a raw loop over the same ladder; with a limiter; against retry in memory";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        await using var rounds = await FailOnceRounds.PrepareAsync(context, context.Messages(UsualMessages), cancellationToken);
        Contender<Sample>[] contenders =
        [
            new("raw", token => rounds.RawAsync(Delay, withHeaders: false, token)),
            new("raw, with our headers", token => rounds.RawAsync(Delay, withHeaders: true, token)),
            new("MassTransit, by hand", token => rounds.ByHandAsync(Delay, token)),
            new("ours", token => rounds.OursAsync("ours", retry => retry.Fixed(Delay).Retries(3), token)),
            new("ours, with breaker", token => rounds.OursAsync("guarded", Guard, token)),
            new("ours, with limiter", token => rounds.OursAsync("limited", retry => { retry.Fixed(Delay).Retries(3); retry.LimitRedelivery(NoCap, NoCap); }, token)),
            new("UseMessageRetry in memory", token => rounds.InMemoryAsync(Delay, token)),
        ];
        var samples = await AlternatingRounds.RunAsync(contenders, context.Rounds, context.Report, cancellationToken);
        var (raw, ours, guarded, limited) = (samples[0], samples[3], samples[4], samples[5]);
        return new BenchmarkResult(
            Name,
            "Retry cycle: every message fails once",
            rounds.Method("the ladder for 100 ms (one hop)") + " With our headers, the raw loop tells what the headers alone cost. By hand: a MassTransit handler that catches its own exception and publishes the message to the ladder, without policy, state or Fault. In memory, for scale: MassTransit's UseMessageRetry (prefetch 1000) holds message and prefetch slot for the 100 ms, and forgets both when the process dies. The breaker is closed: the failures do not count as the target's.",
            [.. contenders.Zip(samples, (contender, side) => ResultRow.Of(contender.Name, side, side == raw ? null : raw))])
        {
            Others = ResultRow.Others(samples.SelectMany(side => side)),
            Targets =
            [
                new("retry cycle vs raw, same topology", Figure.Ratio("x", ResultRow.Rate(ours), ResultRow.Rate(raw)), 0.85, 0.92),
                new("client CPU per fail-once message vs raw", Figure.Ratio("x", ResultRow.Client(ours), ResultRow.Client(raw)), 2.0, 1.5),
                new("retry cycle, closed breaker vs none", Figure.Ratio("x", ResultRow.Rate(guarded), ResultRow.Rate(ours)), 0.95, 0.98),
                new("full path with limiter vs raw one cycle", Figure.Ratio("x", ResultRow.Rate(limited), ResultRow.Rate(raw)), 0.55, 0.65),
            ],
        };
    }

    // half of the attempts fail here, which would open it: none of that is the target's fault
    private static void Guard(RetryPointBuilder retry)
    {
        retry.Fixed(Delay).Retries(3);
        retry.Breaker();
        retry.BreakerIgnores<ParcelFailedException>();
    }
}
