using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Testing;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Topology;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>While the broker is ill, outcomes are held; when it is well again, nothing is lost and no consumer has run too often.</summary>
// a node of their own each, and half a minute or more
[Trait("Category", "Long")]
public sealed class SickBrokerTests(OwnNode node, ITestOutputHelper output) : IClassFixture<OwnNode>
{
    private const string Queue = "sick";
    private const int Retries = 2;
    private const int Messages = 1000;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    // the first tries and the log line of a held outcome are behind it; what remains is waiting
    private static readonly TimeSpan UntilIdle = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(30)]
    public Task A_memory_alarm_holds_outcomes(int seconds) => AlarmAsync(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData(600)]
    public Task A_memory_alarm_of_ten_minutes_holds_outcomes(int seconds) => AlarmAsync(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData(30)]
    public Task Deleted_exchanges_hold_outcomes_where_somebody_else_mends_them(int seconds) => DeletedAsync(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData(600)]
    public Task Exchanges_that_are_gone_for_ten_minutes_hold_outcomes(int seconds) => DeletedAsync(TimeSpan.FromSeconds(seconds));

    [Fact]
    public async Task Deleted_exchanges_are_declared_again_by_the_service_that_misses_them()
    {
        await using var service = await SickService.StartAsync(await node.Broker.CreateVirtualHostAsync(), gated: true);
        await service.PublishAsync();
        await service.WaitForRunsAsync();

        await DeleteExchangesAsync(service.Raw);
        service.Open();

        await service.ShouldHaveParkedAllAsync();
        service.ShouldHaveRunOnceForEachAttempt();
        Report(service);
    }

    [Fact]
    public async Task Connections_that_the_broker_closes_cut_deliveries_off_and_lose_nothing()
    {
        // the outcomes of a whole window, and the climbs of 5 s after it, fall into the trouble
        await using var service = await SickService.StartAsync(await node.Broker.CreateVirtualHostAsync(), gated: true, delay: TimeSpan.FromSeconds(5));
        await service.PublishAsync();
        await service.WaitForRunsAsync();
        service.Open();

        for (var i = 0; i < 3; i++)
        {
            await node.Broker.ControlAsync("close_all_connections", "maintenance");
        }

        await service.ReconnectAsync();
        await service.ShouldHaveParkedAllAsync(forksAllowed: true);
        Report(service);
    }

    [Fact]
    public async Task A_broker_that_is_restarted_loses_nothing()
    {
        // the outcomes of a whole window, and the climbs of 5 s after it, fall into the trouble
        await using var service = await SickService.StartAsync(await node.Broker.CreateVirtualHostAsync(), gated: true, delay: TimeSpan.FromSeconds(5));
        await service.PublishAsync();
        await service.WaitForRunsAsync();
        service.Open();

        await node.Broker.StopAsync();
        await node.Broker.RestartAsync();

        await service.ReconnectAsync();
        await service.ShouldHaveParkedAllAsync(forksAllowed: true);
        Report(service);
    }

    [Fact]
    public async Task A_service_starts_before_its_broker()
    {
        var uri = await node.Broker.CreateVirtualHostAsync();
        await node.Broker.StopAsync();
        SickService service;
        try
        {
            service = await SickService.StartAsync(uri, connect: false);
        }
        finally
        {
            await node.Broker.RestartAsync();
        }

        await using (service)
        {
            await service.ReconnectAsync();
            await service.Raw.WaitForCountAsync(Queue + ".parked", 0, Deadline);
            await service.PublishAsync();
            await service.ShouldHaveParkedAllAsync();
            service.ShouldHaveRunOnceForEachAttempt();
            Report(service);
        }
    }

    /// <summary>The rungs let their messages go after two seconds instead of six: what comes early goes up again.</summary>
    [Fact]
    public async Task Nothing_runs_early_where_a_policy_cuts_the_delays()
    {
        const int messages = 40;
        var delay = TimeSpan.FromSeconds(6);
        var uri = await node.Broker.CreateVirtualHostAsync();
        await node.Broker.ControlAsync("set_policy", "--vhost", Uri.UnescapeDataString(uri.AbsolutePath[1..]), "ttl", ".*", """{"message-ttl":2000}""", "--apply-to", "queues");
        var log = new LogLines();
        var runs = new ConcurrentDictionary<int, ConcurrentQueue<(int Attempt, DateTimeOffset At)>>();
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint(Queue, e =>
            {
                e.PrefetchCount = 100;
                e.UseGradientRetry(context, retry => retry.Fixed(delay).Retries(2));
                e.Handler<Job>(job =>
                {
                    runs.GetOrAdd(job.Message.Number, _ => new()).Enqueue((job.GetRedeliveryCount() + 1, TimeProvider.System.GetUtcNow()));
                    return job.GetRedeliveryCount() == 0 ? throw new InvalidOperationException("once") : Task.CompletedTask;
                });
            }),
            services: log.AddTo);

        var endpoint = await service.Bus.GetSendEndpoint(new Uri("queue:" + Queue));
        await Task.WhenAll(Enumerable.Range(0, messages).Select(i => endpoint.Send(new Job(i))));
        var clock = Stopwatch.StartNew();
        while (runs.Values.Count(run => run.Count == 2) < messages)
        {
            clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(60));
            await Task.Delay(50);
        }

        await service.StopAsync();
        runs.Values.ShouldAllBe(run => run.Select(attempt => attempt.Attempt).SequenceEqual(new[] { 1, 2 }));
        runs.Values.ShouldAllBe(run => run.Last().At - run.First().At >= delay);
        output.WriteLine($"due after {delay.TotalSeconds} s, ran after {runs.Values.Min(run => (run.Last().At - run.First().At).TotalSeconds):0.0} to {runs.Values.Max(run => (run.Last().At - run.First().At).TotalSeconds):0.0} s");
        log.Lines.Count(line => line.Contains("message-ttl", StringComparison.Ordinal)).ShouldBe(1);
    }

    private async Task AlarmAsync(TimeSpan duration)
    {
        await using var service = await SickService.StartAsync(await node.Broker.CreateVirtualHostAsync(), gated: true);
        await service.PublishAsync();
        await service.WaitForRunsAsync();

        await node.Broker.ControlAsync("set_vm_memory_high_watermark", "0.00001");
        try
        {
            service.Open();
            await WaitIdlyAsync(service, duration);
        }
        finally
        {
            await node.Broker.ControlAsync("set_vm_memory_high_watermark", "0.6");
        }

        await service.ShouldHaveParkedAllAsync();
        service.ShouldHaveRunOnceForEachAttempt();
        Report(service);
    }

    private async Task DeletedAsync(TimeSpan duration)
    {
        var uri = await node.Broker.CreateVirtualHostAsync();
        await (await SickService.StartAsync(uri)).DisposeAsync();
        await using var service = await SickService.StartAsync(uri, manage: TopologyManagement.Never);
        await DeleteExchangesAsync(service.Raw);
        await service.PublishAsync();

        await WaitIdlyAsync(service, duration);

        service.Complaints.ShouldContain(line => line.Contains("retryctl topology apply", StringComparison.Ordinal));
        await TopologyDeclarer.DeclareAsync(service.Raw.Connection, TopologyPlan.Ladder.Then(TopologyPlan.Point(RetryPointNames.For(Queue), withRelease: false)));
        await service.ShouldHaveParkedAllAsync();
        service.ShouldHaveRunOnceForEachAttempt();
        Report(service);
    }

    private async Task WaitIdlyAsync(SickService service, TimeSpan duration)
    {
        await Task.Delay(UntilIdle);
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        await Task.Delay(duration - UntilIdle);
        process.Refresh();
        var cpu = (process.TotalProcessorTime - before) / clock.Elapsed;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ill for {duration.TotalSeconds:0} s: {service.Runs} runs, {cpu:P1} of one processor, {service.Complaints.Count()} log lines"));
        // in a short run the start of the process is a good part of it
        cpu.ShouldBeLessThan(duration > TimeSpan.FromMinutes(5) ? 0.02 : 0.06);
        service.Complaints.Count().ShouldBeInRange(1, 3 + (int)duration.TotalMinutes);
        service.Runs.ShouldBe(SickService.Window, "whose outcome is held does not run again, and no other is taken");
    }

    private void Report(SickService service)
    {
        output.WriteLine($"{service.Runs} runs for {Messages} messages, {service.Parked} parked");
        foreach (var line in service.Complaints.Take(5))
        {
            output.WriteLine(line);
        }
    }

    private static async Task DeleteExchangesAsync(RawClient raw)
    {
        await using var channel = await raw.Connection.CreateChannelAsync();
        foreach (var exchange in TopologyPlan.Ladder.Exchanges.Where(exchange => exchange.Name.StartsWith("retry.v1.", StringComparison.Ordinal)))
        {
            await channel.ExchangeDeleteAsync(exchange.Name);
        }
    }

    public sealed record Job(int Number);

    private sealed class SickService : IAsyncDisposable
    {
        public const int Window = 200;

        private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Uri _uri;
        private readonly ConcurrentDictionary<int, ConcurrentQueue<int>> _runs = new();
        private RetryService _service = null!;
        private RawClient? _raw;

        private SickService(Uri uri) => _uri = uri;

        public LogLines Log { get; } = new();

        public RawClient Raw => _raw!;

        public int Runs => _runs.Values.Sum(run => run.Count);

        public int Parked { get; private set; }

        // one line for each parked message is no complaint
        public IEnumerable<string> Complaints => Log.Lines.Where(line => !line.Contains("is parked as", StringComparison.Ordinal));

        public static async Task<SickService> StartAsync(Uri uri, TopologyManagement manage = TopologyManagement.OnStart, bool connect = true, bool gated = false, TimeSpan? delay = null)
        {
            var self = new SickService(uri);
            if (!gated)
            {
                self.Open();
            }

            self._service = await RetryService.StartAsync(
                uri,
                (context, cfg) => cfg.ReceiveEndpoint(Queue, e =>
                {
                    e.SetQuorumQueue();
                    e.PrefetchCount = Window;
                    e.UseGradientRetry(context, retry => retry.Fixed(delay ?? TimeSpan.FromSeconds(1)).Retries(Retries));
                    e.Handler<Job>(async job =>
                    {
                        self._runs.GetOrAdd(job.Message.Number, _ => new()).Enqueue(job.GetRedeliveryCount() + 1);
                        await self._gate.Task;
                        throw new InvalidOperationException("never");
                    });
                }),
                x => x.AddGradientRetry(options => options.ManageTopology = manage),
                hostOptions: options => options.WaitUntilStarted = connect,
                services: self.Log.AddTo);
            if (connect)
            {
                await self.ReconnectAsync();
                if (manage == TopologyManagement.OnStart)
                {
                    await self.Raw.WaitForCountAsync(Queue + ".parked", 0, Deadline);
                }
            }

            return self;
        }

        /// <summary>Lets the consumers fail.</summary>
        public void Open() => _gate.TrySetResult();

        public async Task WaitForRunsAsync()
        {
            var clock = Stopwatch.StartNew();
            while (Runs < Window)
            {
                clock.Elapsed.ShouldBeLessThan(Deadline);
                await Task.Delay(50);
            }
        }

        public async Task ReconnectAsync()
        {
            var clock = Stopwatch.StartNew();
            while (true)
            {
                try
                {
                    _raw = await RawClient.ConnectAsync(_uri);
                    return;
                }
                catch (RabbitMQ.Client.Exceptions.BrokerUnreachableException) when (clock.Elapsed < Deadline)
                {
                    await Task.Delay(200);
                }
            }
        }

        public Task PublishAsync() => Raw.PublishManyAsync(string.Empty, Queue, Enumerable.Range(0, Messages).Select(i => (
            Encoding.UTF8.GetBytes($$"""{"messageType":["{{MessageUrn.ForTypeString<Job>()}}"],"message":{"number":{{i}}} }"""),
            new BasicProperties { ContentType = "application/vnd.masstransit+json", MessageId = Guid.NewGuid().ToString(), DeliveryMode = DeliveryModes.Persistent })));

        /// <summary>Each of them is parked, for its attempts and nothing else; where a connection was lost, some may be there twice.</summary>
        public async Task ShouldHaveParkedAllAsync(bool forksAllowed = false)
        {
            var parked = new List<BasicGetResult>();
            var clock = Stopwatch.StartNew();
            while (parked.Select(message => message.Header("retry-id")).Distinct().Count() < Messages)
            {
                clock.Elapsed.ShouldBeLessThan(Deadline, $"{parked.Count} of {Messages} parked");
                await Task.Delay(500);
                parked.AddRange(await Raw.DrainAsync(Queue + ".parked"));
            }

            await _service.StopAsync();
            parked.AddRange(await Raw.DrainAsync(Queue + ".parked"));
            Parked = parked.Count;
            parked.ShouldAllBe(message => message.Reason() == "Exhausted" && message.Header("retry-attempt") == (Retries + 2).ToString(CultureInfo.InvariantCulture));
            _runs.Count.ShouldBe(Messages);
            _runs.Values.ShouldAllBe(run => run.Distinct().Order().SequenceEqual(Enumerable.Range(1, Retries + 1)));
            if (!forksAllowed)
            {
                Parked.ShouldBe(Messages);
                (await Raw.CountAsync(Queue)).ShouldBe(0u);
            }

            (await Raw.CountAsync(Queue + "_error")).ShouldBeNull();
            (await Raw.CountAsync(Queue + "_skipped")).ShouldBeNull();
        }

        public void ShouldHaveRunOnceForEachAttempt() => _runs.Values.ShouldAllBe(run => run.Count == Retries + 1);

        public async ValueTask DisposeAsync()
        {
            await _service.DisposeAsync();
            if (_raw is not null)
            {
                await _raw.DisposeAsync();
            }
        }
    }
}
