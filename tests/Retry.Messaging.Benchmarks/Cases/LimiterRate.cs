using MassTransit;
using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Raw;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Benchmarks.Service;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>The rate at which a limited point redelivers, against the rate that was asked for.</summary>
internal sealed class LimiterRate : IBenchmark
{
    private const double Seconds = 2;
    private static readonly int[] Caps = [100, 1000, 3000];

    public string Name => "limiter";

    public string Description => "The rate that LimitRedelivery lets through, against the rate asked for";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        await using var host = await MeasuredHost.CreateAsync(context.Broker, cancellationToken);
        await using var raw = await RawClient.ConnectAsync(host.Address, cancellationToken);
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder, cancellationToken: cancellationToken);
        var samples = await AlternatingRounds.RunAsync<Sample>([.. Caps.Select(cap => new Contender<Sample>($"{cap:N0}/s", token => RoundAsync(cap, token)))], context.Rounds, context.Report, cancellationToken);
        return new BenchmarkResult(
            Name,
            "Limiter: achieved against asked",
            $"Messages for {Seconds:0} s wait in the release queue, their delay served; the limiter of a MassTransit endpoint moves them to the work queue, whose handler notes when they come. Burst 1. The mean from the first to the last; what a late wake-up of the machine costs is caught up only where no window of 100 ms or more then holds more than the cap allows.",
            [.. Caps.Zip(samples, static (cap, rounds) => new ResultRow(
                $"{cap:N0}/s asked",
                [new("achieved/s", [.. rounds.Select(round => round.PerSecond)], 1), new("% of asked", [.. rounds.Select(round => 100 * round.PerSecond / cap)], 1), .. ResultRow.Of(string.Empty, rounds).Figures.Skip(1)]))])
        {
            Others = ResultRow.Others(samples.SelectMany(side => side)),
        };

        async Task<Sample> RoundAsync(int cap, CancellationToken token)
        {
            var names = RetryPointNames.For($"limited-{cap}");
            var messages = context.Messages((int)(cap * Seconds)) + 1;
            await raw.DeclareAsync(names.Work, token);
            await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Point(names, withRelease: true), cancellationToken: token);
            await using (var publisher = await RawPublisher.OpenAsync(raw.Connection, token))
            {
                var route = DelayLadder.Route(TimeSpan.Zero, names.Release);
                for (var number = 0; number < messages; number++)
                {
                    await publisher.PublishAsync(BrokerNames.ReturnExchange, route.RoutingKey, ParcelBody.Properties(number), ParcelBody.Of(number), token);
                }

                await publisher.ConfirmedAsync(token);
            }

            var tally = new Tally(messages, context.Broker.ProcessId);
            Sample sample;
            await using (await BusHost.StartAsync(
                host.Address,
                withRetry: true,
                (registration, cfg) => cfg.ReceiveEndpoint(names.Work, e =>
                {
                    e.SetQuorumQueue();
                    e.PrefetchCount = 1000;
                    e.UseGradientRetry(registration, retry => retry.LimitRedelivery(cap));
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

            await raw.ExpectEmptyAsync(names.Work, token);
            // n messages have n - 1 intervals
            return sample with { Messages = messages - 1 };
        }
    }
}
