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

/// <summary>Messages that fail for good: parked, against MassTransit's error queue and a raw loop that publishes no Fault.</summary>
internal sealed class Parking : IBenchmark
{
    private const int UsualMessages = 3_000;
    private const ushort RawPrefetch = 1000;
    private const ushort ServicePrefetch = 200;
    private const string RawQueue = "raw";
    private const string PlainQueue = "plain";
    private const string ErrorQueue = PlainQueue + "_error";
    private const string OurQueue = "graded";

    public string Name => "parking";

    public string Description => "Parking, against MassTransit's error queue and a raw loop";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var messages = context.Messages(UsualMessages);
        await using var host = await MeasuredHost.CreateAsync(context.Broker, cancellationToken);
        await using var raw = await RawClient.ConnectAsync(host.Address, cancellationToken);
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder, cancellationToken: cancellationToken);
        foreach (var queue in (string[])[RawQueue, OurQueue])
        {
            await raw.DeclareAsync(queue, cancellationToken);
            await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Point(RetryPointNames.For(queue), withRelease: false), cancellationToken: cancellationToken);
        }

        await raw.DeclareAsync(PlainQueue, cancellationToken);
        await raw.DeclareAsync(ErrorQueue, cancellationToken);
        var samples = await AlternatingRounds.RunAsync<Sample>(
            [
                new("raw", RawAsync),
                new("MassTransit", token => ServiceAsync(PlainQueue, ErrorQueue, withRetry: false, token)),
                new("ours", token => ServiceAsync(OurQueue, BrokerNames.ParkedQueue(OurQueue), withRetry: true, token)),
            ],
            context.Rounds,
            context.Report,
            cancellationToken);
        return new BenchmarkResult(
            Name,
            "Parking: every message fails for good",
            $"{messages:N0} messages of {ParcelBody.TextBytes} bytes fail and are not tried again; prefetch {ServicePrefetch} (raw: {RawPrefetch}). MassTransit and ours publish one Fault each, with nobody to hear it; the raw loop only moves the bytes. From the first delivery until all are in the parking lot (error queue).",
            [
                ResultRow.Of("raw, no Fault", samples[0]),
                ResultRow.Of("plain MassTransit, error queue", samples[1], samples[0]),
                ResultRow.Of("with UseGradientRetry, parked", samples[2], samples[0]),
            ])
        {
            Others = ResultRow.Others(samples.SelectMany(side => side)),
        };

        async Task<Sample> RawAsync(CancellationToken token)
        {
            await raw.FillAsync(RawQueue, messages, token);
            var route = new LadderRoute(BrokerNames.ParkingExchange, RawQueue, TimeSpan.Zero);
            var tally = new Tally(messages, context.Broker.ProcessId);
            Sample sample;
            await using (await RawRetryLoop.StartAsync(
                raw.Connection,
                RawQueue,
                RawPrefetch,
                _ =>
                {
                    tally.Begin();
                    return route;
                },
                tally.Done,
                copy: null,
                token))
            {
                sample = await ParkedAsync(BrokerNames.ParkedQueue(RawQueue), tally, token);
            }

            return await CheckedAsync(sample, RawQueue, BrokerNames.ParkedQueue(RawQueue), token);
        }

        async Task<Sample> ServiceAsync(string queue, string parked, bool withRetry, CancellationToken token)
        {
            await raw.FillAsync(queue, messages, token);
            var tally = new Tally(messages, context.Broker.ProcessId);
            var receipts = new Receipts(messages);
            Sample sample;
            await using (await BusHost.StartAsync(
                host.Address,
                withRetry,
                (registration, cfg) =>
                {
                    cfg.ConnectReceiveObserver(receipts);
                    cfg.ReceiveEndpoint(queue, e =>
                    {
                        e.SetQuorumQueue();
                        e.PrefetchCount = ServicePrefetch;
                        if (withRetry)
                        {
                            e.UseGradientRetry(registration, retry => retry.Fail<ParcelFailedException>());
                        }

                        e.Handler<Parcel>(_ =>
                        {
                            tally.Begin();
                            throw new ParcelFailedException();
                        });
                    });
                },
                token))
            {
                sample = await ParkedAsync(parked, tally, token);

                // stopped earlier, it would give back what it has parked and not yet acknowledged
                await receipts.AllAsync(token);
            }

            return await CheckedAsync(sample, queue, parked, token);
        }

        async Task<Sample> ParkedAsync(string parked, Tally tally, CancellationToken token)
        {
            await raw.WaitForAsync(parked, messages, token);
            return tally.End();
        }

        async Task<Sample> CheckedAsync(Sample sample, string queue, string parked, CancellationToken token)
        {
            await raw.ExpectEmptyAsync(queue, token);
            return await raw.PurgeAsync(parked, token) is var found && found == messages
                ? sample
                : throw new BenchmarkException($"{found} messages were in '{parked}', wanted {messages}.");
        }
    }
}
