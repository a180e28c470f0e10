using System.Collections.Concurrent;
using System.Diagnostics;
using MassTransit;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>The limit as a user of MassTransit sets it.</summary>
[Collection(OperatorBroker.Name)]
public sealed class LimitedEndpointTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Cap = 50;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Retries_come_back_under_the_cap_and_count_on()
    {
        var uri = await broker.CreateVirtualHostAsync();
        var log = new Log();
        var lines = new LogLines();
        await using var service = await StartAsync(uri, log, limited: true, lines: lines);
        await using var second = await StartAsync(uri, log, limited: true, lines: lines);

        await service.Bus.PublishBatch(Enumerable.Range(0, 3 * Cap).Select(i => new Job(i)));
        await log.WaitForRetriesAsync(3 * Cap, Deadline);

        var most = WindowBound.Most([.. log.Retries.Select(retry => retry.At)], TimeSpan.FromSeconds(1));
        output.WriteLine($"{3 * Cap} failed at once: at most {most} retries in a sliding second at the consumer, cap {Cap}/s");
        most.ShouldBeLessThanOrEqualTo(Cap + log.Prefetch);
        log.Retries.Select(retry => (retry.Id, retry.Count)).Distinct().Count().ShouldBe(3 * Cap);
        log.Retries.ShouldAllBe(retry => retry.Count == 1);
        await service.StopAsync();
        await second.StopAsync();
        lines.Lines.ShouldNotContain(line => line.Contains("limiter"), $"a service that is stopped in good order has nothing to be warned of: {string.Join(Environment.NewLine, lines.Lines)}");
        await using var raw = await RawClient.ConnectAsync(uri);
        (await raw.CountAsync("jobs")).ShouldBe(0u);
        (await raw.CountAsync("jobs.release")).ShouldBe(0u);
        (await raw.CountAsync("retry.v1.lost")).ShouldBe(0u);
    }

    [Fact]
    public async Task An_isolated_point_forwards_at_any_rate()
    {
        var uri = await broker.CreateVirtualHostAsync();
        var log = new Log();
        await using var service = await StartAsync(uri, log, limited: null);

        await service.Bus.PublishBatch(Enumerable.Range(0, 200).Select(i => new Job(i)));
        await log.WaitForRetriesAsync(200, Deadline);

        log.Retries.Select(retry => retry.Id).Distinct().Count().ShouldBe(200);
        await using var raw = await RawClient.ConnectAsync(uri);
        (await raw.CountAsync("jobs.release")).ShouldBe(0u);
    }

    [Fact]
    public async Task Half_with_and_half_without_the_limit_swapped_under_load()
    {
        const int Jobs = 400;
        var uri = await broker.CreateVirtualHostAsync();
        var log = new Log();
        // disposed at the end only: MassTransit's log is a static, and ends with the first host that is
        List<RetryService> services = [], all = [];
        foreach (var limited in new[] { true, true, false, false })
        {
            services.Add(await StartAsync(uri, log, limited));
            all.Add(services[^1]);
        }

        await services[0].Bus.PublishBatch(Enumerable.Range(0, Jobs).Select(i => new Job(i)));
        await log.WaitForRetriesAsync(Jobs / 4, Deadline);
        for (var i = 0; i < services.Count; i++)
        {
            await services[i].StopAsync();
            all.Add(services[i] = await StartAsync(uri, log, limited: i >= 2));
            await services[i].Bus.PublishBatch(Enumerable.Range((i + 1) * Jobs, Jobs / 4).Select(id => new Job(id)));
        }

        await log.WaitForRetriesAsync(2 * Jobs, Deadline);
        // at last nobody has the limit, and most of these still wait for it
        await services[2].Bus.PublishBatch(Enumerable.Range(10 * Jobs, Jobs).Select(id => new Job(id)));
        await log.WaitForFirstsAsync(3 * Jobs, Deadline);
        foreach (var i in new[] { 2, 3 })
        {
            await services[i].StopAsync();
            all.Add(services[i] = await StartAsync(uri, log, limited: false));
        }

        await using var raw = await RawClient.ConnectAsync(uri);
        await log.WaitForRetriesAsync(3 * Jobs, Deadline);
        await raw.WaitForCountAsync("jobs.release", 0, Deadline);
        foreach (var service in services)
        {
            await service.StopAsync();
        }

        log.Retries.Count.ShouldBe(3 * Jobs);
        log.Retries.Select(retry => retry.Id).Distinct().Count().ShouldBe(3 * Jobs);
        (await raw.CountAsync("jobs.release")).ShouldBe(0u);
        (await raw.CountAsync("jobs")).ShouldBe(0u);
        foreach (var service in all)
        {
            await service.DisposeAsync();
        }
    }

    [Fact]
    public async Task Turned_off_the_limit_leaves_nothing_behind()
    {
        var uri = await broker.CreateVirtualHostAsync();
        var log = new Log();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var limited = await StartAsync(uri, log, limited: true, perSecond: 0.01);
        await limited.Bus.PublishBatch(Enumerable.Range(0, 100).Select(i => new Job(i)));
        await log.WaitForFirstsAsync(100, Deadline);
        await limited.StopAsync();
        await raw.WaitForCountAsync("jobs.release", 100, Deadline);

        await using var free = await StartAsync(uri, log, limited: false);
        await log.WaitForRetriesAsync(100, Deadline);
        log.Retries.ShouldAllBe(retry => retry.Count == 1);
    }

    [Fact]
    public async Task The_way_back_to_code_without_graded_retry_strands_nothing()
    {
        const int Jobs = 60;
        var uri = await broker.CreateVirtualHostAsync();
        var log = new Log();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var limited = await StartAsync(uri, log, limited: true, perSecond: 20);
        await limited.Bus.PublishBatch(Enumerable.Range(0, Jobs).Select(i => new Job(i)));
        await log.WaitForFirstsAsync(Jobs, Deadline);
        await LimitedPoint.WaitForCodeAsync(raw.Connection, "jobs", Deadline);
        await limited.StopAsync();
        log.Retries.Count.ShouldBeLessThan(Jobs, "most of them climb, or wait for the limiter");

        // the old code takes what comes; docs/migration.md
        var ready = (int)(await raw.CountAsync("jobs")).ShouldNotBeNull();
        await using var old = await Arrivals.StartAsync(raw.Connection, "jobs");
        var started = Stopwatch.GetTimestamp();
        using var interrupt = new CancellationTokenSource();
        var (run, error) = CommandLineRun.Start(uri, "limiter run --point jobs", interrupt.Token);
        await old.WaitForAsync(Jobs - log.Retries.Count, Deadline);
        await interrupt.CancelAsync();
        (await run.WaitAsync(Deadline)).ShouldBe(0, error.ToString());
        Stopwatch.GetElapsedTime(started, old.At.Max()).ShouldBeGreaterThan(WindowBound.Least(old.Count - ready, 20), "the cap holds, after what lay in the work queue");

        var remove = await CommandLineRun.RunAsync(uri, null, "topology remove --release jobs --yes");
        remove.ExitCode.ShouldBe(0, remove.Error);
        await raw.PublishAsync("retry.v1.return", "0.0.0.0.0.0.0.0.jobs.release", "{}"u8.ToArray());
        await raw.WaitForCountAsync("retry.v1.lost", 1, Deadline);
        (await CommandLineRun.RunAsync(uri, null, "lost replay --queue jobs --yes")).ExitCode.ShouldBe(0);
        await old.WaitForAsync(Jobs - log.Retries.Count + 1, Deadline);
        (await raw.CountAsync("jobs.release")).ShouldBeNull();
        (await raw.CountAsync("retry.v1.lost")).ShouldBe(0u);
    }

    private static Task<RetryService> StartAsync(Uri uri, Log log, bool? limited, double perSecond = Cap, LogLines? lines = null) => RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("jobs", e =>
    {
        e.PrefetchCount = log.Prefetch;
        e.SetQuorumQueue();
        e.UseGradientRetry(context, retry =>
        {
            retry.Fixed(TimeSpan.FromMilliseconds(200)).Retries(3);
            if (limited is null)
            {
                retry.Isolated();
            }
            else if (limited.Value)
            {
                retry.LimitRedelivery(perSecond);
            }
        });
        e.Handler<Job>(job => log.RunAsync(job));
    }), services: lines is null ? null : lines.AddTo);

    public sealed record Job(int Id);

    private sealed class Log
    {
        private readonly ConcurrentDictionary<int, bool> _firsts = new();

        public ushort Prefetch { get; } = 20;

        public ConcurrentQueue<(int Id, int Count, long At)> Retries { get; } = new();

        public Task RunAsync(ConsumeContext<Job> job)
        {
            if (job.GetRedeliveryCount() == 0)
            {
                _firsts[job.Message.Id] = true;
                throw new InvalidOperationException("the first attempt fails");
            }

            Retries.Enqueue((job.Message.Id, job.GetRedeliveryCount(), Stopwatch.GetTimestamp()));
            return Task.CompletedTask;
        }

        public Task WaitForRetriesAsync(int count, TimeSpan deadline) => WaitAsync(() => Retries.Select(retry => retry.Id).Distinct().Count(), count, deadline);

        public Task WaitForFirstsAsync(int count, TimeSpan deadline) => WaitAsync(() => _firsts.Count, count, deadline);

        private static async Task WaitAsync(Func<int> found, int wanted, TimeSpan deadline)
        {
            await Eventually.TrueAsync(() => found() >= wanted, deadline, () => $"{found()} of {wanted}");
        }
    }
}
