using System.Diagnostics;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Raw;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Benchmarks.Service;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>What the topology adds to the start of a service.</summary>
internal sealed class StartUp : IBenchmark
{
    private const string Queue = "started";

    public string Name => "start-up";

    public string Description => "The topology declared on an empty broker and found on a full one; the start of a service";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        await using var host = await MeasuredHost.CreateAsync(context.Broker, cancellationToken);
        await using var raw = await RawClient.ConnectAsync(host.Address, cancellationToken);
        await raw.DeclareAsync(Queue, cancellationToken);
        await raw.DeclareAsync("plain", cancellationToken);
        var plan = TopologyPlan.Ladder.Then(TopologyPlan.Point(RetryPointNames.For(Queue), withRelease: false));
        Contender<double>[] contenders =
        [
            new("topology, empty virtual host", async token =>
            {
                await RemoveAsync(raw.Connection, plan, token);
                return await TimeAsync(() => TopologyDeclarer.DeclareAsync(raw.Connection, plan, cancellationToken: token));
            }),
            new("topology, all there", token => TimeAsync(() => TopologyDeclarer.DeclareAsync(raw.Connection, plan, cancellationToken: token))),
            new("service, plain MassTransit", token => ServiceAsync("plain", withRetry: false, token)),
            new("service, graded retry, empty virtual host", async token =>
            {
                await RemoveAsync(raw.Connection, plan, token);
                return await ServiceAsync(Queue, withRetry: true, token);
            }),
            new("service, graded retry, all there", token => ServiceAsync(Queue, withRetry: true, token)),
        ];

        // in this order in every round: what one makes the next finds
        List<IReadOnlyList<double>> rounds = [];
        for (var round = 0; round <= context.Rounds; round++)
        {
            context.Report(round == 0 ? "warm-up" : $"round {round} of {context.Rounds}");
            List<double> times = [];
            foreach (var contender in contenders)
            {
                times.Add(await contender.RunAsync(cancellationToken));
            }

            if (round > 0)
            {
                rounds.Add(times);
            }
        }

        return new BenchmarkResult(
            Name,
            "Start-up",
            $"The whole plan ({plan.Queues.Count} queues, {plan.Exchanges.Count} exchanges, {plan.Bindings.Count} bindings) declared over AMQP; and a service with one endpoint, from the start of its host until its bus says it is ready.",
            [.. contenders.Select((contender, side) => new ResultRow(contender.Name, [new Figure("ms", [.. rounds.Select(round => round[side])])]))]);

        async Task<double> ServiceAsync(string queue, bool withRetry, CancellationToken token)
        {
            BusHost? service = null;
            try
            {
                return await TimeAsync(async () => service = await BusHost.StartAsync(
                    host.Address,
                    withRetry,
                    (registration, cfg) => cfg.ReceiveEndpoint(queue, e =>
                    {
                        e.SetQuorumQueue();
                        e.Handler<Parcel>(static _ => Task.CompletedTask);
                    }),
                    token));
            }
            finally
            {
                if (service is not null)
                {
                    await service.DisposeAsync();
                }
            }
        }
    }

    private static async Task<double> TimeAsync(Func<Task> step)
    {
        var started = Stopwatch.GetTimestamp();
        await step();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static async Task RemoveAsync(IConnection connection, TopologyPlan plan, CancellationToken cancellationToken)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        foreach (var queue in plan.Queues)
        {
            await channel.QueueDeleteAsync(queue.Name, ifUnused: false, ifEmpty: false, cancellationToken: cancellationToken);
        }

        foreach (var exchange in plan.Exchanges)
        {
            await channel.ExchangeDeleteAsync(exchange.Name, ifUnused: false, cancellationToken: cancellationToken);
        }
    }
}
