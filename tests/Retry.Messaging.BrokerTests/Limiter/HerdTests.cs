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
    private const ushort Prefetch = 200;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    // long enough for all to have failed before the first is due
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(45);

    [Trait("Category", "Long")]
    [Fact]
    public async Task A_herd_comes_back_no_faster_than_the_cap()
    {
        var free = await ReturnAsync(limited: false);
        var limited = await ReturnAsync(limited: true);

        foreach (var (name, at) in new[] { ("without a limit", free), ($"limited to {Cap}/s", limited) })
        {
            output.WriteLine($"{broker.Broker.Version}: herd of {Herd}, due within a second, {name}: at most {WindowBound.Most(at, TimeSpan.FromSeconds(1))} in a sliding second; redeliveries per second: {string.Join(' ', HerdPlot.PerSecond(at))}");
        }

        if (Environment.GetEnvironmentVariable("RETRY_PLOT_DIRECTORY") is { Length: > 0 } directory)
        {
            await File.WriteAllTextAsync(
                Path.Combine(directory, "herd.svg"),
                HerdPlot.Draw($"{Herd} messages due within one second, RabbitMQ {broker.Broker.Version}, {DateTime.UtcNow:yyyy-MM-dd}", free, limited, Cap));
        }

        limited.Length.ShouldBe(Herd);
        WindowBound.Most(limited, TimeSpan.FromSeconds(1)).ShouldBeLessThan(Cap + Prefetch);
        WindowBound.Most(free, TimeSpan.FromSeconds(1)).ShouldBeGreaterThan(2 * Cap);
    }

    /// <summary>Lets all fail, and due at one instant.</summary>
    /// <returns>When each came back.</returns>
    private async Task<long[]> ReturnAsync(bool limited)
    {
        var uri = await broker.CreateVirtualHostAsync();
        var retries = new ConcurrentQueue<long>();
        var due = DateTimeOffset.UtcNow + Outage;
        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("herd", e =>
        {
            e.PrefetchCount = Prefetch;
            e.SetQuorumQueue();
            e.UseGradientRetry(context, retry =>
            {
                retry.Fixed(TimeSpan.FromSeconds(1)).Retries(3);
                retry.RetryAfter<InvalidOperationException>(_ => due - DateTimeOffset.UtcNow);
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

        await service.StopAsync();
        return [.. retries];
    }

    public sealed record Sheep(int Id);
}
