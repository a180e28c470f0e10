using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>The message that kills its consumer, and those that were only near it.</summary>
[Collection(WaitingBroker.Name)]
public sealed class PoisonTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Good = 2000;

    /// <summary>Only the time that suspects are kept away is shortened here, from a minute at most to 5 s; the thresholds are the real ones.</summary>
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public Task Finds_the_one_message_that_kills_its_consumer_among_2000_good_ones(bool classic, bool limited) => FindTheKillerAsync(classic, limited, keepsAwaySeconds: 5);

    [Theory]
    [Trait("Category", "Long")]
    [InlineData(false, false, 5)]
    [InlineData(true, true, 5)]
    [InlineData(false, false, 60)]
    [InlineData(true, true, 60)]
    public Task Finds_it_also_on_the_other_points_and_with_the_real_delays(bool classic, bool limited, int keepsAwaySeconds) => FindTheKillerAsync(classic, limited, keepsAwaySeconds);

    private async Task FindTheKillerAsync(bool classic, bool limited, int keepsAwaySeconds)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var ledger = Directory.CreateTempSubdirectory("poison-").FullName;
        var environment = new Dictionary<string, string>
        {
            [FragileConsumer.BrokerVariable] = uri.ToString(),
            [FragileConsumer.LedgerVariable] = ledger,
            [FragileConsumer.LongestVariable] = keepsAwaySeconds.ToString(CultureInfo.InvariantCulture),
            [FragileConsumer.ClassicVariable] = classic.ToString(),
            [FragileConsumer.LimitedVariable] = limited.ToString(),
            ["DOTNET_DbgEnableMiniDump"] = "0",
        };
        // as a supervisor would: whenever it is gone, it is started again
        await PublishAsync(uri, classic);
        var starts = 0;
        var clock = Stopwatch.StartNew();
        using var over = new CancellationTokenSource();
        var supervisor = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                using var process = TestProcess.Start(TestProcess.FragileConsumerRole, environment);
                Interlocked.Increment(ref starts);
                try
                {
                    await process.WaitForExitAsync(over.Token);
                }
                catch (OperationCanceledException)
                {
                    process.StandardInput.Close();
                    await process.WaitForExitAsync();
                }
            }
        });
        try
        {
            await raw.WaitForCountAsync(FragileConsumer.Queue + ".parked", 1, TimeSpan.FromMinutes(8));
            // a look reads all files
            await Eventually.TrueAsync(
                () => Done(ledger).Distinct().Count() >= Good,
                TimeSpan.FromMinutes(10) - clock.Elapsed,
                () => $"{Done(ledger).Distinct().Count()} of {Good} done",
                every: TimeSpan.FromMilliseconds(200));
        }
        finally
        {
            await over.CancelAsync();
            await supervisor;
        }

        var done = Done(ledger);
        output.WriteLine($"{starts} starts in {clock.Elapsed.TotalSeconds:0} s; {done.Count - Good} done twice");
        done.Distinct().Order().ShouldBe(Enumerable.Range(0, Good));
        // an acknowledgement that is on its way while the process dies is lost with it
        done.Count.ShouldBeLessThanOrEqualTo(Good + 20);
        (starts - 1).ShouldBeLessThanOrEqualTo(20, "each start but the last ended in a death");
        var parked = (await raw.DrainAsync(FragileConsumer.Queue + ".parked")).ShouldHaveSingleItem();
        parked.Reason().ShouldBe("Poison");
        parked.Header("retry-crashes").ShouldBe("10");
        parked.Header("retry-attempt").ShouldBe("1");
        System.Text.Encoding.UTF8.GetString(parked.Body.Span).ShouldContain("\"kills\":true");
        await raw.ShouldHaveLeftNothingBehindAsync(FragileConsumer.Queue);
        Directory.Delete(ledger, recursive: true);
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task Twenty_five_rolling_restarts_under_backlog_park_nothing()
    {
        const int messages = 3000;
        const int restarts = 25;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var done = new ConcurrentDictionary<int, int>();
        await (await StartAsync(uri, done)).DisposeAsync();
        await raw.PublishManyAsync(string.Empty, "backlog", Enumerable.Range(0, messages).Select(i => (Envelope<Work>($$"""{"number":{{i}}}"""), new BasicProperties { ContentType = "application/vnd.masstransit+json", MessageId = Guid.NewGuid().ToString() })));

        for (var restart = 0; restart < restarts; restart++)
        {
            await using var service = await StartAsync(uri, done);
            var before = done.Count;
            // It does 400 in a second, and there must be a backlog until the end. One that has done too little is ended all the same.
            await Eventually.IsTrueAsync(() => done.Count >= Math.Min(before + 40, messages), TimeSpan.FromSeconds(20), every: TimeSpan.FromMilliseconds(10));
        }

        var left = messages - done.Count;
        await using var last = await StartAsync(uri, done);
        await Eventually.TrueAsync(() => done.Count >= messages, TimeSpan.FromMinutes(3), () => $"{messages - done.Count} left");

        await last.StopAsync();
        output.WriteLine($"{restarts} restarts with {left} of {messages} still to do; {done.Values.Sum() - messages} runs repeated");
        left.ShouldBeGreaterThan(200, "there must be a backlog until the end");
        (await raw.CountAsync("backlog.parked")).ShouldBe(0u);
        await raw.ShouldHaveLeftNothingBehindAsync("backlog");
    }

    private static Task<RetryService> StartAsync(Uri uri, ConcurrentDictionary<int, int> done) =>
        RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint("backlog", e =>
            {
                e.SetQuorumQueue();
                e.PrefetchCount = 200;
                e.ConcurrentMessageLimit = 4;
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(200)).Retries(3));
                e.Handler<Work>(async work =>
                {
                    await Simulate.WorkAsync(TimeSpan.FromMilliseconds(10));
                    done.AddOrUpdate(work.Message.Number, 1, (_, runs) => runs + 1);
                });
            }),
            hostOptions: options => options.ConsumerStopTimeout = TimeSpan.FromSeconds(1));

    private static async Task PublishAsync(Uri uri, bool classic)
    {
        // the killer in the middle of the first windows, with the queue as the consumer will declare it
        await using var raw = await RawClient.ConnectAsync(uri);
        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            await channel.QueueDeclareAsync(FragileConsumer.Queue, durable: true, exclusive: false, autoDelete: false, classic ? null : new Dictionary<string, object?> { [RabbitMQ.Client.Headers.XQueueType] = "quorum" });
        }

        await raw.PublishManyAsync(string.Empty, FragileConsumer.Queue, Enumerable.Range(0, Good + 1).Select(i =>
        {
            var kills = i == 100;
            var body = Envelope<FragileConsumer.Cargo>($$"""{"number":{{(i > 100 ? i - 1 : i)}},"kills":{{(kills ? "true" : "false")}}}""");
            return (body, new BasicProperties { ContentType = "application/vnd.masstransit+json", MessageId = Guid.NewGuid().ToString() });
        }));
    }

    private static byte[] Envelope<T>(string message)
        where T : class => System.Text.Encoding.UTF8.GetBytes($$"""{"messageType":["{{MessageUrn.ForTypeString<T>()}}"],"message":{{message}}}""");

    private static List<int> Done(string ledger) =>
        [.. Directory.EnumerateFiles(ledger).SelectMany(file => ReadShared(file).Split('\n', StringSplitOptions.RemoveEmptyEntries)).Select(line => int.Parse(line, CultureInfo.InvariantCulture))];

    private static string ReadShared(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var text = reader.ReadToEnd();
        return text[..(text.LastIndexOf('\n') + 1)];
    }

    public sealed record Work(int Number);
}
