using MassTransit;
using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Raw;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Benchmarks.Service;

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
                new("plain", token => RoundAsync("plain", withRetry: false, token)),
                new("ours", token => RoundAsync("graded", withRetry: true, token)),
            ],
            context.Rounds,
            context.Report,
            cancellationToken);
        var (plain, ours) = (samples[0], samples[1]);
        return new BenchmarkResult(
            Name,
            "Happy path: nothing fails",
            $"{messages:N0} messages of {ParcelBody.TextBytes} bytes (with MassTransit's envelope about 1 KB) wait in a quorum queue; a MassTransit handler that does nothing takes them, prefetch {Prefetch}, {Concurrency} at once. From the first delivery to the last.",
            [
                ResultRow.Of("plain MassTransit", plain),
                ResultRow.Of("with UseGradientRetry", ours, plain),
            ])
        {
            Others = ResultRow.Others(samples.SelectMany(side => side)),
            Targets =
            [
                new("happy path, throughput vs plain", Figure.Ratio("x", ResultRow.Rate(ours), ResultRow.Rate(plain)), 0.97, 0.99),
                new("happy path, extra client µs per message", Figure.Difference("µs", ResultRow.Client(ours), ResultRow.Client(plain)), 5, 2),
            ],
        };

        async Task<Sample> RoundAsync(string queue, bool withRetry, CancellationToken token)
        {
            await raw.DeclareAsync(queue, token);
            await raw.FillAsync(queue, messages, token);
            var tally = new Tally(messages, context.Broker.ProcessId);
            Sample sample;
            await using (await BusHost.StartAsync(
                host.Address,
                withRetry,
                (registration, cfg) => cfg.ReceiveEndpoint(queue, e =>
                {
                    e.SetQuorumQueue();
                    e.PrefetchCount = Prefetch;
                    e.ConcurrentMessageLimit = Concurrency;
                    if (withRetry)
                    {
                        e.UseGradientRetry(registration);
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
