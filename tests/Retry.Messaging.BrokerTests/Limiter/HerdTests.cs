using System.Diagnostics;
using System.Globalization;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>An outage ends: everything that failed at once comes due at once.</summary>
/// <remarks>
/// A plain client sends the herd up the ladder and consumes what comes back: a service that fails 20,000 messages takes longer for
/// it than they wait, and the first would be back among the last that fail.
/// </remarks>
[Collection(SharedBroker.Name)]
public sealed class HerdTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Herd = 20_000;
    private const int Cap = 500;
    private const ushort Prefetch = 200;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    // one rung, and long enough for all to have failed before the first is due
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(10);

    [Trait("Category", "Long")]
    [Fact]
    public async Task A_herd_comes_back_no_faster_than_the_cap()
    {
        var (freeSpan, free) = await ReturnAsync(limited: false);
        var (limitedSpan, limited) = await ReturnAsync(limited: true);

        foreach (var (name, span, at) in new[] { ("without a limit", freeSpan, free), ($"limited to {Cap}/s", limitedSpan, limited) })
        {
            output.WriteLine($"{broker.Broker.Version}: {Herd} failed within {span.TotalSeconds:0.00} s, {name}: all back after {Stopwatch.GetElapsedTime(at.Min(), at.Max()).TotalSeconds:0.0} s, at most {WindowBound.Most(at, TimeSpan.FromSeconds(1))} in a sliding second; redeliveries per second: {string.Join(' ', HerdPlot.PerSecond(at))}");
        }

        if (Environment.GetEnvironmentVariable("RETRY_PLOT_DIRECTORY") is { Length: > 0 } directory)
        {
            var within = (freeSpan > limitedSpan ? freeSpan : limitedSpan).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
            await File.WriteAllTextAsync(
                Path.Combine(directory, "herd.svg"),
                HerdPlot.Draw($"{Herd} messages that failed within {within} s, RabbitMQ {broker.Broker.Version}, {DateTime.UtcNow:yyyy-MM-dd}", free, limited, Cap));
        }

        WindowBound.Most(limited, TimeSpan.FromSeconds(1)).ShouldBeLessThan(Cap + Prefetch);
        WindowBound.Most(free, TimeSpan.FromSeconds(1)).ShouldBeGreaterThan(2 * Cap);
    }

    /// <summary>Sends all up the ladder in one go, and waits until all are back.</summary>
    /// <returns>How long the going took, and when each came back.</returns>
    private async Task<(TimeSpan Failing, long[] Back)> ReturnAsync(bool limited)
    {
        await using var point = await LimitedPoint.CreateAsync(await broker.CreateVirtualHostAsync(), "herd");
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work, Prefetch);
        if (limited)
        {
            point.Start(Cap, instances: 2, consumerPrefetch: Prefetch);
        }

        var started = Stopwatch.GetTimestamp();
        await point.FailAsync(Herd, Delay, limited ? point.Names.Release : point.Names.Work);
        var failed = Stopwatch.GetTimestamp();
        await arrivals.WaitForAsync(Herd, Deadline);
        await point.StopAsync();

        arrivals.All.Select(arrival => arrival.Id).Distinct().Count().ShouldBe(Herd);
        arrivals.Count.ShouldBe(Herd);
        arrivals.At.Min().ShouldBeGreaterThan(failed, "the first came back while others still failed: this is no herd");
        return (Stopwatch.GetElapsedTime(started, failed), [.. arrivals.At]);
    }
}
