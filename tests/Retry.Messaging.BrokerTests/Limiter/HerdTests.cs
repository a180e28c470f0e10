using System.Collections.Concurrent;
using System.Diagnostics;
using MassTransit;
using Retry.Messaging.BrokerTests.MassTransit;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>An outage ends: everything that failed within one second comes due at once.</summary>
[Collection(SharedBroker.Name)]
public sealed class HerdTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Herd = 20_000;
    private const int Cap = 500;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    [LongTheory]
    [Trait("Category", "Long")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_herd_comes_back_no_faster_than_the_cap(bool limited)
    {
        var uri = await broker.CreateVirtualHostAsync();
        var retries = new ConcurrentQueue<long>();
        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("herd", e =>
        {
            e.PrefetchCount = 200;
            e.SetQuorumQueue();
            e.UseGradientRetry(context, retry =>
            {
                retry.Fixed(TimeSpan.FromSeconds(20)).Retries(3);
                if (limited)
                {
                    retry.LimitRedelivery(Cap);
                }
            });
            e.Handler<Sheep>(sheep =>
            {
                if (sheep.GetRedeliveryCount() == 0)
                {
                    throw new InvalidOperationException("the outage");
                }

                retries.Enqueue(Stopwatch.GetTimestamp());
                return Task.CompletedTask;
            });
        }));
        for (var i = 0; i < Herd; i += 1000)
        {
            await service.Bus.PublishBatch(Enumerable.Range(i, 1000).Select(id => new Sheep(id)));
        }

        var clock = Stopwatch.StartNew();
        while (retries.Count < Herd)
        {
            clock.Elapsed.ShouldBeLessThan(Deadline, $"{retries.Count} of {Herd} came back");
            await Task.Delay(100);
        }

        var at = retries.ToArray();
        var start = at.Min();
        var perSecond = at.GroupBy(t => (int)Stopwatch.GetElapsedTime(start, t).TotalSeconds).OrderBy(group => group.Key).Select(group => group.Count()).ToList();
        var name = limited ? $"limited to {Cap}/s" : "without a limit";
        output.WriteLine($"herd of {Herd}, {name}: at most {WindowBound.Most(at, TimeSpan.FromSeconds(1))} in a sliding second; redeliveries per second: {string.Join(' ', perSecond)}");
        if (Environment.GetEnvironmentVariable("RETRY_PLOT_DIRECTORY") is { Length: > 0 } directory)
        {
            await File.WriteAllLinesAsync(Path.Combine(directory, limited ? "herd-limited.csv" : "herd-unlimited.csv"), ["second,redeliveries", .. perSecond.Select((count, second) => $"{second},{count}")]);
        }

        if (limited)
        {
            WindowBound.Most(at, TimeSpan.FromSeconds(1)).ShouldBeLessThan(Cap + 200);
        }
    }

    public sealed record Sheep(int Id);
}
