using RabbitMQ.Client;
using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Raw;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Benchmarks.Service;
using Retry.Messaging.Configuration;
using Retry.Messaging.Ladder;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>Rounds in which every message fails once: each fills a queue, starts one side, and checks that nothing is left.</summary>
internal sealed class FailOnceRounds : IAsyncDisposable
{
    // what suits each best: a broker's channel looks for a single acknowledgement among all that are held
    private const ushort RawPrefetch = 1000;
    private const ushort ServicePrefetch = 200;
    private const ushort InMemoryPrefetch = 1000;

    private readonly MeasuredHost _host;
    private readonly RawClient _raw;
    private readonly int _messages;
    private readonly int? _brokerProcess;

    private FailOnceRounds(MeasuredHost host, RawClient raw, int messages, int? brokerProcess) =>
        (_host, _raw, _messages, _brokerProcess) = (host, raw, messages, brokerProcess);

    public static async Task<FailOnceRounds> PrepareAsync(BenchmarkContext context, int messages, CancellationToken cancellationToken)
    {
        var host = await MeasuredHost.CreateAsync(context.Broker, cancellationToken);
        var raw = await RawClient.ConnectAsync(host.Address, cancellationToken);
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder, cancellationToken: cancellationToken);
        return new FailOnceRounds(host, raw, messages, context.Broker.ProcessId);
    }

    /// <summary>What both sides of every round have in common, for people.</summary>
    public string Method(string climbs) =>
        $"{_messages:N0} messages of {ParcelBody.TextBytes} bytes (with MassTransit's envelope about 1 KB) wait in a quorum queue; each fails, climbs {climbs} and is done at its second attempt. " +
        $"Prefetch {ServicePrefetch} (raw: {RawPrefetch}); persistent, mandatory, confirmed and acknowledged afterwards on both sides. The raw loop throws nothing, adds no header, and takes confirms and gives acknowledgements in batches. From the first delivery to the last.";

    /// <summary>A round of the raw loop, with the original properties or with headers such as ours.</summary>
    public Task<Sample> RawAsync(TimeSpan delay, bool withHeaders, CancellationToken cancellationToken)
    {
        const string queue = "raw";
        var route = DelayLadder.Route(delay, queue);
        return RunAsync(
            queue,
            async tally => await RawRetryLoop.StartAsync(
                _raw.Connection,
                queue,
                RawPrefetch,
                _ =>
                {
                    tally.Begin();
                    return route;
                },
                tally.Done,
                withHeaders ? static sent => FailedParcel.Climbing(sent, queue) : null,
                cancellationToken),
            cancellationToken);
    }

    /// <summary>A round of a service with graded retry.</summary>
    public Task<Sample> OursAsync(string queue, Action<RetryPointBuilder> retry, CancellationToken cancellationToken) =>
        RunAsync(queue, async tally => await FailsOnceService.StartAsync(_host.Address, queue, ServicePrefetch, retry, tally, cancellationToken), cancellationToken);

    /// <summary>A round of a service whose handler sends its own failures up the ladder.</summary>
    public async Task<Sample> ByHandAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        const string queue = "by-hand";
        await using var publishing = await _raw.Connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true, outstandingPublisherConfirmationsRateLimiter: null), cancellationToken);
        var route = DelayLadder.Route(delay, queue);
        return await RunAsync(queue, async tally => await FailsOnceService.StartByHandAsync(_host.Address, queue, ServicePrefetch, route, publishing, tally, cancellationToken), cancellationToken);
    }

    /// <summary>A round of a service that retries in memory.</summary>
    public Task<Sample> InMemoryAsync(TimeSpan delay, CancellationToken cancellationToken) =>
        RunAsync("memory", async tally => await FailsOnceService.StartInMemoryAsync(_host.Address, "memory", InMemoryPrefetch, delay, tally, cancellationToken), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _raw.DisposeAsync();
        await _host.DisposeAsync();
    }

    private async Task<Sample> RunAsync(string queue, Func<Tally, Task<IAsyncDisposable>> start, CancellationToken cancellationToken)
    {
        await _raw.DeclareAsync(queue, cancellationToken);
        await TopologyDeclarer.DeclareAsync(_raw.Connection, TopologyPlan.Point(RetryPointNames.For(queue), withRelease: false), cancellationToken: cancellationToken);
        await _raw.FillAsync(queue, _messages, cancellationToken);
        var tally = new Tally(_messages, _brokerProcess);
        Sample sample;
        await using (await start(tally))
        {
            sample = await tally.FinishedAsync(cancellationToken);
        }

        await _raw.ExpectEmptyAsync(queue, cancellationToken);
        return sample;
    }
}
