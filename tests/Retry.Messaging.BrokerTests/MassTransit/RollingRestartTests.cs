using System.Diagnostics;
using System.Globalization;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Naming;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.MassTransit;

[Collection(WaitingBroker.Name)]
public sealed class RollingRestartTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Jobs = 24;
    private const int Restarts = 15;

    /// <summary>SIGTERM to one of three instances every 2.5 s, or as fast as they come back; consumers that take 4 s.</summary>
    [Fact]
    public async Task Restarts_cut_deliveries_off_but_use_no_attempt()
    {
        var uri = await broker.CreateVirtualHostAsync();
        var ledger = Directory.CreateTempSubdirectory("rolling-restart-").FullName;
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.Of<SlowConsumer.SlowJob>());
        var environment = new Dictionary<string, string>
        {
            [SlowConsumer.BrokerVariable] = uri.ToString(),
            [SlowConsumer.LedgerVariable] = ledger,
            [SlowConsumer.WorkSecondsVariable] = "4",
        };
        var took = TimeSpan.Zero;
        await using (var cluster = await Cluster.StartAsync(environment))
        {
            for (var i = 0; i < Jobs; i++)
            {
                await PublishAsync(raw, $"job-{i}");
            }

            took = await cluster.RestartAsync(Restarts, TimeSpan.FromSeconds(2.5));
            await Eventually.TrueAsync(() => Read(ledger).Where(line => line.EndsWith(" 2", StringComparison.Ordinal)).Distinct().Count() == Jobs, TimeSpan.FromMinutes(2));
        }

        // A first attempt that fails in the moment of the signal is cut off like one that is at work: it is repeated, under its
        // own number. A second attempt that ran twice would be a fork: an outcome and its delivery both went on.
        var runs = Read(ledger);
        var jobs = Enumerable.Range(0, Jobs).Select(i => $"job-{i}").Order().ToList();
        runs.Where(run => run.EndsWith(" 1", StringComparison.Ordinal)).Distinct().Order().ShouldBe(jobs.Select(job => job + " 1"));
        runs.Where(run => !run.EndsWith(" 1", StringComparison.Ordinal)).Order().ShouldBe(jobs.Select(job => job + " 2"));
        output.WriteLine($"{Restarts} restarts in {took.TotalSeconds:0} s, {runs.Count - (2 * Jobs)} first attempts cut off as they failed");
        (await raw.CountAsync("slow")).ShouldBe(0u);
        (await raw.CountAsync("slow.parked")).ShouldBe(0u);
        (await raw.CountAsync(faults)).ShouldBe(0u);
        (await raw.CountAsync("slow_error")).ShouldBeNull();
        (await raw.CountAsync("slow_skipped")).ShouldBeNull();
        Directory.Delete(ledger, recursive: true);
    }

    /// <summary>Jobs that take longer than an instance lives are cut off again and again. They come again at once, and nobody suspects them.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_restarts_cut_off_is_neither_suspected_nor_kept_away(bool quorum) =>
        await DeployAsync(quorum, plain: false, jobs: 60, work: TimeSpan.FromSeconds(4), prefetch: 10, restarts: 12, every: TimeSpan.FromSeconds(1.5));

    [Theory]
    [Trait("Category", "Long")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_deployment_of_five_minutes_parks_nothing_and_runs_each_job_once(bool quorum) =>
        await DeployAsync(quorum, plain: false, jobs: 750, work: TimeSpan.FromSeconds(16), prefetch: 50, restarts: 60, every: TimeSpan.FromSeconds(5));

    [Theory]
    [Trait("Category", "Long")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_restart_delays_no_job_by_more_than_5_s_compared_with_plain_MassTransit(bool quorum)
    {
        var without = await DeployAsync(quorum, plain: true, jobs: 60, work: TimeSpan.FromSeconds(4), prefetch: 10, restarts: 18, every: TimeSpan.FromSeconds(1.5));
        var with = await DeployAsync(quorum, plain: false, jobs: 60, work: TimeSpan.FromSeconds(4), prefetch: 10, restarts: 18, every: TimeSpan.FromSeconds(1.5));
        output.WriteLine($"after the last restart all was done in {without.TotalSeconds:0.0} s without graded retry, {with.TotalSeconds:0.0} s with it");
        (with - without).ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    private async Task<TimeSpan> DeployAsync(bool quorum, bool plain, int jobs, TimeSpan work, int prefetch, int restarts, TimeSpan every)
    {
        var uri = await broker.CreateVirtualHostAsync();
        var ledger = Directory.CreateTempSubdirectory("deployment-").FullName;
        await using var raw = await RawClient.ConnectAsync(uri);
        var environment = new Dictionary<string, string>
        {
            [SlowConsumer.BrokerVariable] = uri.ToString(),
            [SlowConsumer.LedgerVariable] = ledger,
            [SlowConsumer.WorkSecondsVariable] = work.TotalSeconds.ToString(CultureInfo.InvariantCulture),
            [SlowConsumer.StopSecondsVariable] = "1",
            [SlowConsumer.PrefetchVariable] = prefetch.ToString(CultureInfo.InvariantCulture),
            [SlowConsumer.SucceedsVariable] = bool.TrueString,
            [SlowConsumer.QuorumVariable] = quorum.ToString(),
            [SlowConsumer.PlainVariable] = plain.ToString(),
        };
        string? climbs = null;
        TimeSpan took;
        var clock = new Stopwatch();
        await using (var cluster = await Cluster.StartAsync(environment))
        {
            if (!plain)
            {
                // all that climbs comes by there
                await using var channel = await raw.Connection.CreateChannelAsync();
                climbs = (await channel.QueueDeclareAsync("climbs", durable: true, exclusive: false, autoDelete: false)).QueueName;
                await channel.QueueBindAsync(climbs, BrokerNames.ReturnExchange, "#");
            }

            for (var i = 0; i < jobs; i++)
            {
                await PublishAsync(raw, $"job-{i}");
            }

            took = await cluster.RestartAsync(restarts, every);
            clock.Start();
            await Eventually.TrueAsync(() => Read(ledger).Count >= jobs, TimeSpan.FromMinutes(6));
            clock.Stop();
        }

        output.WriteLine($"{restarts} restarts in {took.TotalSeconds:0} s; the last job {clock.Elapsed.TotalSeconds:0.0} s later; quorum {quorum}, plain {plain}");
        Read(ledger).Order().ShouldBe(Enumerable.Range(0, jobs).Select(i => $"job-{i} 1").Order());
        (await raw.CountAsync("slow")).ShouldBe(0u);
        if (climbs is not null)
        {
            Logged(ledger).ShouldBeEmpty();
            (await raw.CountAsync(climbs)).ShouldBe(0u);
            (await raw.CountAsync("slow.parked")).ShouldBe(0u);
            await raw.ShouldHaveLeftNothingBehindAsync("slow");
        }

        Directory.Delete(ledger, recursive: true);
        return clock.Elapsed;
    }

    private static List<string> Logged(string ledger) => [.. Directory.EnumerateFiles(ledger, "*" + SlowConsumer.Log).SelectMany(File.ReadLines)];

    private static List<string> Read(string ledger) =>
        [.. Directory.EnumerateFiles(ledger).Where(file => !file.EndsWith(SlowConsumer.Log, StringComparison.Ordinal)).SelectMany(file => ReadShared(file).Split('\n', StringSplitOptions.RemoveEmptyEntries))];

    private static string ReadShared(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var text = reader.ReadToEnd();
        return text[..(text.LastIndexOf('\n') + 1)];
    }

    private static Task PublishAsync(RawClient raw, string id)
    {
        var type = $"urn:message:{typeof(SlowConsumer.SlowJob).Namespace}:{nameof(SlowConsumer)}+{nameof(SlowConsumer.SlowJob)}";
        var body = $$"""{"messageId":"{{Guid.NewGuid()}}","messageType":["{{type}}"],"message":{"id":"{{id}}"} }""";
        return raw.PublishAsync("slow", string.Empty, System.Text.Encoding.UTF8.GetBytes(body), new RabbitMQ.Client.BasicProperties { ContentType = "application/vnd.masstransit+json", DeliveryMode = RabbitMQ.Client.DeliveryModes.Persistent });
    }

    /// <summary>Three instances, of which one after the other is ended by SIGTERM and started again.</summary>
    private sealed class Cluster(Dictionary<string, string> environment) : IAsyncDisposable
    {
        private readonly Process?[] _instances = new Process?[3];

        public static async Task<Cluster> StartAsync(Dictionary<string, string> environment)
        {
            var cluster = new Cluster(environment);
            for (var i = 0; i < cluster._instances.Length; i++)
            {
                cluster._instances[i] = await cluster.StartAsync();
            }

            return cluster;
        }

        public async Task<TimeSpan> RestartAsync(int restarts, TimeSpan every)
        {
            var clock = Stopwatch.StartNew();
            for (var restart = 0; restart < restarts; restart++)
            {
                var victim = restart % _instances.Length;
                await EndAsync(_instances[victim]!);
                _instances[victim] = await StartAsync();
                await Scenario.PauseUntilAsync(clock, every * (restart + 1));
            }

            return clock.Elapsed;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var instance in _instances.OfType<Process>())
            {
                await EndAsync(instance);
            }
        }

        private static async Task EndAsync(Process instance)
        {
            Signals.Send(instance.Id, Signals.Terminate).ShouldBeTrue();
            await instance.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
            instance.Dispose();
        }

        private async Task<Process> StartAsync()
        {
            var process = TestProcess.Start(TestProcess.SlowConsumerRole, environment);
            (await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60))).ShouldBe(SlowConsumer.Ready);
            return process;
        }
    }
}
