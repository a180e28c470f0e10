using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Configuration;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>A running service notices when parts of its topology are deleted, also when it publishes nothing itself.</summary>
[Collection(SharedBroker.Name)]
public sealed class DeletedTopologyTests(BrokerFixture broker, ITestOutputHelper output)
{
    // the broker looks after what it could not route every 5 s with our settings, every 180 s without
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);
    private static readonly TopologyRounds Quick = new() { Interval = TimeSpan.FromSeconds(1), Shortest = TimeSpan.FromSeconds(0.2), Settle = TimeSpan.FromSeconds(0.5), Grace = TimeSpan.FromSeconds(4) };
    private static readonly TopologyRounds Slow = Quick with { Interval = TimeSpan.FromSeconds(3) };

    [Fact]
    public async Task What_waits_in_rungs_comes_back_to_every_service_when_all_exchanges_are_deleted()
    {
        const int messages = 50;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        string[] queues = ["orders", "invoices", "mails"];
        var services = new List<Service>();
        try
        {
            foreach (var queue in queues)
            {
                // the first to notice knows nothing of the others' queues
                services.Add(await Service.StartAsync(uri, queue, TopologyManagement.OnStart, services.Count == 0 ? Quick : Slow));
            }

            // from 1 to 4 s, on rungs with exchanges behind them and on the last ones before the queue
            await Task.WhenAll(services.Select(service => service.FailAsync(messages, i => TimeSpan.FromSeconds(1.1 + (0.06 * i)))));

            await DeleteAsync(raw, TopologyPlan.Ladder.Exchanges.Where(exchange => exchange.Name.StartsWith(BrokerNames.LadderPrefix, StringComparison.Ordinal)).ToList());
            var clock = Stopwatch.StartNew();
            await Eventually.TrueAsync(() => services.All(service => service.Done >= messages), Deadline, () => string.Join(", ", services.Select(service => service.Done)));

            output.WriteLine($"all back after {clock.Elapsed.TotalSeconds:0.0} s");
            (await raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
            services.ShouldAllBe(service => service.Runs == 2 * messages);
            services.ShouldAllBe(service => service.Log.Lines.Count <= 2);
            services.SelectMany(service => service.Log.Lines).ShouldContain(line => line.Contains("All exchanges of the ladder have been deleted", StringComparison.Ordinal));
        }
        finally
        {
            foreach (var service in services)
            {
                await service.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task A_deleted_rung_level_and_parking_lot_are_declared_again_and_said_once()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        using var management = new RawManagement(broker.Broker, uri);
        await using var service = await Service.StartAsync(uri, "orders", TopologyManagement.OnStart);
        for (var round = 0; round < 3; round++)
        {
            await DeleteAsync(raw, TopologyPlan.Ladder.Exchanges.Where(exchange => exchange.Name == "retry.v1.m").ToList(), "retry.v1.1s", "orders.parked");
            await raw.WaitForCountAsync("retry.v1.1s", 0, Deadline);
            await raw.WaitForCountAsync("orders.parked", 0, Deadline);
            // last of all: what an exchange has no binding for yet goes to the lost queue
            await WaitForBindingsAsync(management, TopologyPlan.Ladder.Then(TopologyPlan.Point(RetryPointNames.For("orders"), withRelease: false)));
            // the later rounds fall into the same minute
            await service.Log.WaitForLineAsync(Deadline, TopologyLine);
        }

        await service.FailAsync(1, _ => TimeSpan.FromSeconds(61));
        await raw.WaitForCountAsync("retry.v1.1m", 1, Deadline);
        (await raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
        // Outcomes that are held are another line. A look between two of the deletions names what was gone by then; a queue that is deleted while it
        // is declared ends the connection, and then the first look on the next one says what was missing.
        var said = service.Log.Lines.Where(line => line.Contains(TopologyLine, StringComparison.Ordinal)).ToList();
        said.Count(line => !line.StartsWith("orders:", StringComparison.Ordinal)).ShouldBeLessThanOrEqualTo(1, string.Join(Environment.NewLine, said));
        said.ShouldContain(line => line.Contains("'retry.v1.", StringComparison.Ordinal) || line.Contains("'orders.parked'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_somebody_else_manages_the_topology_it_is_said_once_and_nothing_declared()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await (await Service.StartAsync(uri, "orders", TopologyManagement.OnStart)).DisposeAsync();
        await using var service = await Service.StartAsync(uri, "orders", TopologyManagement.Verify);
        await using var silent = await Service.StartAsync(uri, "orders", TopologyManagement.Never);
        service.Log.Lines.ShouldBeEmpty();

        await DeleteAsync(raw, [], "retry.v1.1s");

        await service.Log.WaitForLineAsync(Deadline);
        // as long as it would have been mended by the next looks
        await Never.TrueAsync(async () => await raw.CountAsync("retry.v1.1s") is not null, Quick.Interval * 3, () => "the rung was declared");
        var line = service.Log.Lines.ShouldHaveSingleItem();
        line.ShouldContain("queue 'retry.v1.1s'");
        line.ShouldContain("retryctl topology apply --point orders");
        silent.Log.Lines.ShouldBeEmpty();
    }

    private static async Task WaitForBindingsAsync(RawManagement management, TopologyPlan plan)
    {
        var missing = plan.Bindings.ToList();
        await Eventually.TrueAsync(
            async () =>
            {
                using var found = JsonDocument.Parse(await management.GetAsync("bindings/VHOST"));
                var bound = found.RootElement.EnumerateArray().Select(binding => (Text(binding, "source"), Text(binding, "destination"), Text(binding, "routing_key"))).ToHashSet();
                missing = [.. plan.Bindings.Where(binding => !bound.Contains((binding.Source, binding.Destination, binding.RoutingKey)))];
                return missing.Count == 0;
            },
            Deadline,
            () => $"{missing.Count} bindings are missing, the first is {missing[0]}");

        static string? Text(JsonElement binding, string name) => binding.GetProperty(name).GetString();
    }

    private static async Task DeleteAsync(RawClient raw, IReadOnlyList<ExchangePlan> exchanges, params string[] queues)
    {
        await using var channel = await raw.Connection.CreateChannelAsync();
        foreach (var exchange in exchanges)
        {
            await channel.ExchangeDeleteAsync(exchange.Name);
        }

        foreach (var queue in queues)
        {
            await channel.QueueDeleteAsync(queue);
        }
    }

    // how the lines begin that name what is or was missing
    private const string TopologyLine = "retry topology";

    public sealed record Job(int Number, TimeSpan Again);

    /// <summary>A service whose messages fail once.</summary>
    private sealed class Service : IAsyncDisposable
    {
        private readonly string _queue;
        private readonly ConcurrentDictionary<int, int> _runs = new();
        private RetryService _service = null!;

        private Service(string queue) => _queue = queue;

        public LogLines Log { get; } = new();

        public int Runs => _runs.Values.Sum();

        public int Done => _runs.Values.Count(runs => runs > 1);

        public static async Task<Service> StartAsync(Uri uri, string queue, TopologyManagement manage, TopologyRounds? rounds = null)
        {
            var self = new Service(queue);
            self._service = await RetryService.StartAsync(
                uri,
                (context, cfg) => cfg.ReceiveEndpoint(queue, e =>
                {
                    e.SetQuorumQueue();
                    e.UseGradientRetry(context, retry => retry.Custom(_ => TimeSpan.FromSeconds(3)).Retries(2));
                    e.Handler<Job>(job => self._runs.AddOrUpdate(job.Message.Number, 1, (_, runs) => runs + 1) == 1
                        ? job.Redeliver(job.Message.Again)
                        : Task.CompletedTask);
                }),
                x => x.AddGradientRetry(options =>
                {
                    options.ManageTopology = manage;
                    options.Rounds = rounds ?? Quick;
                }),
                services: self.Log.AddTo);
            return self;
        }

        /// <summary>Sends messages and returns when all of them are in the ladder.</summary>
        public async Task FailAsync(int messages, Func<int, TimeSpan> again)
        {
            var endpoint = await _service.Bus.GetSendEndpoint(new Uri("exchange:" + _queue));
            await Task.WhenAll(Enumerable.Range(0, messages).Select(i => endpoint.Send(new Job(i, again(i)))));
            await Eventually.TrueAsync(() => _runs.Count >= messages, Deadline);
        }

        public ValueTask DisposeAsync() => _service.DisposeAsync();
    }
}
