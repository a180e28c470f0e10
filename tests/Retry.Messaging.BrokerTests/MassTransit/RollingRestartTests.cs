using System.Diagnostics;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Processes;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.MassTransit;

[Collection(WaitingBroker.Name)]
public sealed class RollingRestartTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Jobs = 24;
    private const int Restarts = 24;

    /// <summary>SIGTERM to one of three instances every 5 s, or as fast as they come back, for 2 minutes; consumers that take 10 s.</summary>
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
        };
        var instances = new Process[3];
        var restarts = 0;
        var took = TimeSpan.Zero;
        try
        {
            for (var i = 0; i < instances.Length; i++)
            {
                instances[i] = await StartAsync(environment);
            }

            for (var i = 0; i < Jobs; i++)
            {
                await PublishAsync(raw, $"job-{i}");
            }

            var clock = Stopwatch.StartNew();
            for (; restarts < Restarts; restarts++)
            {
                var victim = restarts % instances.Length;
                Signals.Send(instances[victim].Id, Signals.Terminate).ShouldBeTrue();
                await instances[victim].WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
                instances[victim].Dispose();
                instances[victim] = await StartAsync(environment);
                var next = TimeSpan.FromSeconds(5 * (restarts + 1)) - clock.Elapsed;
                await Task.Delay(next > TimeSpan.Zero ? next : TimeSpan.Zero);
            }

            took = clock.Elapsed;
            await UntilAsync(() => Read(ledger).Where(line => line.EndsWith(" 2", StringComparison.Ordinal)).Distinct().Count() == Jobs, TimeSpan.FromMinutes(2));
        }
        finally
        {
            foreach (var instance in instances)
            {
                if (instance is not null)
                {
                    Signals.Send(instance.Id, Signals.Terminate);
                    await instance.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
                    instance.Dispose();
                }
            }
        }

        // A first attempt that fails in the moment of the signal is cut off like one that is at work: it is repeated, under its
        // own number. A second attempt that ran twice would be a fork: an outcome and its delivery both went on.
        var runs = Read(ledger);
        var jobs = Enumerable.Range(0, Jobs).Select(i => $"job-{i}").Order().ToList();
        runs.Where(run => run.EndsWith(" 1", StringComparison.Ordinal)).Distinct().Order().ShouldBe(jobs.Select(job => job + " 1"));
        runs.Where(run => !run.EndsWith(" 1", StringComparison.Ordinal)).Order().ShouldBe(jobs.Select(job => job + " 2"));
        output.WriteLine($"{restarts} restarts in {took.TotalSeconds:0} s, {runs.Count - (2 * Jobs)} first attempts cut off as they failed");
        (await raw.CountAsync("slow")).ShouldBe(0u);
        (await raw.CountAsync("slow.parked")).ShouldBe(0u);
        (await raw.CountAsync(faults)).ShouldBe(0u);
        (await raw.CountAsync("slow_error")).ShouldBeNull();
        (await raw.CountAsync("slow_skipped")).ShouldBeNull();
        Directory.Delete(ledger, recursive: true);
    }

    private static List<string> Read(string ledger) =>
        [.. Directory.EnumerateFiles(ledger).SelectMany(file => ReadShared(file).Split('\n', StringSplitOptions.RemoveEmptyEntries))];

    private static string ReadShared(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var text = reader.ReadToEnd();
        return text[..(text.LastIndexOf('\n') + 1)];
    }

    private static async Task<Process> StartAsync(Dictionary<string, string> environment)
    {
        var process = TestProcess.Start(TestProcess.SlowConsumerRole, environment);
        (await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60))).ShouldBe(SlowConsumer.Ready);
        return process;
    }

    private static Task PublishAsync(RawClient raw, string id)
    {
        var type = $"urn:message:{typeof(SlowConsumer.SlowJob).Namespace}:{nameof(SlowConsumer)}+{nameof(SlowConsumer.SlowJob)}";
        var body = $$"""{"messageId":"{{Guid.NewGuid()}}","messageType":["{{type}}"],"message":{"id":"{{id}}"} }""";
        return raw.PublishAsync("slow", string.Empty, System.Text.Encoding.UTF8.GetBytes(body), new RabbitMQ.Client.BasicProperties { ContentType = "application/vnd.masstransit+json", DeliveryMode = RabbitMQ.Client.DeliveryModes.Persistent });
    }

    private static async Task UntilAsync(Func<bool> condition, TimeSpan deadline)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            clock.Elapsed.ShouldBeLessThan(deadline);
            await Task.Delay(100);
        }
    }
}
