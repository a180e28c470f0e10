using MassTransit;
using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Raw;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Benchmarks.Service;
using Retry.Messaging.Configuration;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>What graded retry costs while nothing fails.</summary>
internal sealed class HappyPath : IBenchmark
{
    private const int UsualMessages = 20_000;
    private const ushort Prefetch = 200;
    private const int Concurrency = 64;

    public string Name => "happy-path";

    public string Description => "What UseGradientRetry costs while nothing fails";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var messages = context.Messages(UsualMessages);
        await using var host = await MeasuredHost.CreateAsync(context.Broker, cancellationToken);
        await using var raw = await RawClient.ConnectAsync(host.Address, cancellationToken);
        var samples = await AlternatingRounds.RunAsync<Sample>(
            [
                new("plain", token => RoundAsync("plain", retry: null, token)),
                new("ours", token => RoundAsync("graded", static _ => { }, token)),
                new("ours, with breaker", token => RoundAsync("guarded", static retry => retry.Breaker(), token)),
            ],
            context.Rounds,
            context.Report,
            cancellationToken);
        var (plain, ours, guarded) = (samples[0], samples[1], samples[2]);
        return new BenchmarkResult(
            Name,
            "Happy path: nothing fails",
            $"{messages:N0} messages of {ParcelBody.TextBytes} bytes (with MassTransit's envelope about 1 KB) wait in a quorum queue; a MassTransit handler that does nothing takes them, prefetch {Prefetch}, {Concurrency} at once. From the first delivery to the last.",
            [
                ResultRow.Of("plain MassTransit", plain),
                ResultRow.Of("with UseGradientRetry", ours, plain),
                ResultRow.Of("and with a breaker, closed", guarded, plain),
            ])
        {
            Others = ResultRow.Others(samples.SelectMany(side => side)),
            Targets =
            [
                new("happy path, throughput vs plain", Figure.Ratio("x", ResultRow.Rate(ours), ResultRow.Rate(plain)), 0.97, 0.99),
                new("happy path, extra client µs per message", Figure.Difference("µs", ResultRow.Client(ours), ResultRow.Client(plain)), 5, 2),
                new("happy path, closed breaker vs none", Figure.Ratio("x", ResultRow.Rate(guarded), ResultRow.Rate(ours)), 0.97, 0.99),
            ],
        };

        async Task<Sample> RoundAsync(string queue, Action<RetryPointBuilder>? retry, CancellationToken token)
        {
            await raw.DeclareAsync(queue, token);
            await raw.FillAsync(queue, messages, token);
            var tally = new Tally(messages, context.Broker.ProcessId);
            Sample sample;
            await using (await BusHost.StartAsync(
                host.Address,
                withRetry: retry is not null,
                (registration, cfg) => cfg.ReceiveEndpoint(queue, e =>
                {
                    e.SetQuorumQueue();
                    e.PrefetchCount = Prefetch;
                    e.ConcurrentMessageLimit = Concurrency;
                    if (retry is not null)
                    {
                        e.UseGradientRetry(registration, retry);
                    }

                    e.Handler<Parcel>(parcel =>
                    {
                        tally.Begin();
                        tally.Done(parcel.Message.Number);
                        return Task.CompletedTask;
                    });
                }),
                token))
            {
                sample = await tally.FinishedAsync(token);
            }

            await raw.ExpectEmptyAsync(queue, token);
            return sample;
        }
    }
}
