using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using MassTransit;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Testing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Configuration;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>While the broker is ill, outcomes are held; when it is well again, nothing is lost and no consumer has run too often.</summary>
// a node of their own each, and half a minute or more
[Trait("Category", "Long")]
public sealed class SickBrokerTests(OwnNode node, ITestOutputHelper output) : IClassFixture<OwnNode>
{
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

    /// <summary>Nothing is published that could find it out: the running service looks by itself.</summary>
    [Fact]
    public async Task Messages_in_rungs_come_back_when_all_exchanges_are_deleted()
    {
        await using var service = await SickService.StartAsync(await node.Broker.CreateVirtualHostAsync(), gated: true, delay: TimeSpan.FromSeconds(20));
        await service.PublishAsync();
        service.Open();
        await service.Raw.WaitForCountAsync("retry.v1.20s", SickService.Messages, SickService.Deadline);
        await DeleteExchangesAsync(service.Raw);

        await service.ShouldHaveParkedAllAsync();
        service.ShouldHaveRunOnceForEachAttempt();
        (await service.Raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
        service.Complaints.Count().ShouldBeInRange(1, 4);
        Report(service);
    }

    /// <summary>
    /// One exchange after the other goes while messages pass: for a moment what has no way on is in the lost queue, and what
    /// was on its way to an exchange without a confirm yet may be there twice.
    /// </summary>
    [Fact]
    public async Task Exchanges_deleted_under_load_again_and_again_lose_nothing()
    {
        const int times = 3;
        var uri = await node.Broker.CreateVirtualHostAsync();
        await using var service = await SickService.StartAsync(uri);
        await service.PublishAsync();
        for (var i = 0; i < times; i++)
        {
            await DeleteExchangesAsync(service.Raw);
            await WaitForExchangeAsync(service.Raw, BrokerNames.LostExchange);
        }

        var lost = await service.Raw.CountAsync(BrokerNames.LostQueue);
        var replay = await CommandLineRun.RunAsync(uri, null, "lost replay --all --yes");
        replay.ExitCode.ShouldBe(ExitCode.Done, replay.Error);
        await service.ShouldHaveParkedAllAsync(forksAllowed: true);
        (await service.Raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
        service.Complaints.Count().ShouldBeInRange(1, 12);
        output.WriteLine($"{lost} in the lost queue, {service.Parked - SickService.Messages} forks");
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
            await service.Raw.WaitForCountAsync(SickService.Queue + ".parked", 0, SickService.Deadline);
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
            (context, cfg) => cfg.ReceiveEndpoint(SickService.Queue, e =>
            {
                e.PrefetchCount = 100;
                e.UseGradientRetry(context, retry => retry.Fixed(delay).Retries(2));
                e.Handler<SickService.Job>(job =>
                {
                    runs.GetOrAdd(job.Message.Number, _ => new()).Enqueue((job.GetRedeliveryCount() + 1, TimeProvider.System.GetUtcNow()));
                    return job.GetRedeliveryCount() == 0 ? throw new InvalidOperationException("once") : Task.CompletedTask;
                });
            }),
            services: log.AddTo);

        var endpoint = await service.Bus.GetSendEndpoint(new Uri("queue:" + SickService.Queue));
        await Task.WhenAll(Enumerable.Range(0, messages).Select(i => endpoint.Send(new SickService.Job(i))));
        await Eventually.TrueAsync(() => runs.Values.Count(run => run.Count == 2) >= messages, TimeSpan.FromSeconds(60));

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

        service.Complaints.ShouldContain(line => line.Contains("low on memory", StringComparison.Ordinal) && line.Contains("'rabbitmqctl status' names the alarm", StringComparison.Ordinal));
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
        await TopologyDeclarer.DeclareAsync(service.Raw.Connection, TopologyPlan.Ladder.Then(TopologyPlan.Point(RetryPointNames.For(SickService.Queue), withRelease: false)));
        await service.ShouldHaveParkedAllAsync();
        service.ShouldHaveRunOnceForEachAttempt();
        Report(service);
    }

    private async Task WaitIdlyAsync(SickService service, TimeSpan duration)
    {
        await Scenario.PauseAsync(UntilIdle);
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        await Scenario.PauseAsync(duration - UntilIdle);
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
        output.WriteLine($"{service.Runs} runs for {SickService.Messages} messages, {service.Parked} parked");
        foreach (var line in service.Complaints.Take(5))
        {
            output.WriteLine(line);
        }
    }

    private static async Task WaitForExchangeAsync(RawClient raw, string exchange)
    {
        var answer = string.Empty;
        await Eventually.TrueAsync(IsThereAsync, SickService.Deadline, () => $"exchange '{exchange}': {answer}", every: TimeSpan.FromMilliseconds(200));

        async Task<bool> IsThereAsync()
        {
            await using var channel = await raw.Connection.CreateChannelAsync();
            try
            {
                await channel.ExchangeDeclarePassiveAsync(exchange);
                return true;
            }
            catch (OperationInterruptedException exception)
            {
                answer = exception.Message;
                return false;
            }
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
}
