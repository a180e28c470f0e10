using System.Diagnostics;
using System.Globalization;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>An outage ends: everything that it failed comes due at once.</summary>
/// <remarks>
/// Two cores do not take in 20,000 failures in a second (3 to 4 s, measured). So they fail in turn and are told one instant to come back at,
/// as by Retry-After: the first wait nine seconds, the last two, each on one rung. A plain client sends them and consumes what comes back.
/// </remarks>
[Collection(OperatorBroker.Name)]
public sealed class HerdTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Herd = 20_000;
    private const int Cap = 500;
    private const ushort Prefetch = 200;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    // rungs of whole seconds; the last leaves time enough for all to have failed before the first is due
    private const int LongestDelay = 9;
    private const int ShortestDelay = 2;
    private const int Share = Herd / (LongestDelay - ShortestDelay + 1);

    [Trait("Category", "Long")]
    [Fact]
    public async Task A_herd_comes_back_no_faster_than_the_cap()
    {
        var (freeSpan, free) = await ReturnAsync(limited: false);
        var (limitedSpan, limited) = await ReturnAsync(limited: true);

        foreach (var (name, span, at) in new[] { ("without a limit", freeSpan, free), ($"limited to {Cap}/s", limitedSpan, limited) })
        {
            output.WriteLine($"{broker.Broker.Version}: {Herd} due within {span.TotalSeconds:0.00} s, {name}: all back after {Stopwatch.GetElapsedTime(at.Min(), at.Max()).TotalSeconds:0.0} s, at most {WindowBound.Most(at, TimeSpan.FromSeconds(1))} in a sliding second; redeliveries per second: {string.Join(' ', HerdPlot.PerSecond(at))}");
        }

        if (Environment.GetEnvironmentVariable("RETRY_PLOT_DIRECTORY") is { Length: > 0 } directory)
        {
            var within = (freeSpan > limitedSpan ? freeSpan : limitedSpan).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
            await File.WriteAllTextAsync(
                Path.Combine(directory, "herd.svg"),
                HerdPlot.Draw($"{Herd} messages due within {within} s, RabbitMQ {broker.Broker.Version}, {DateTime.UtcNow:yyyy-MM-dd}", free, limited, Cap));
        }

        WindowBound.Most(limited, TimeSpan.FromSeconds(1)).ShouldBeLessThan(Cap + Prefetch);
        WindowBound.Most(free, TimeSpan.FromSeconds(1)).ShouldBeGreaterThan(2 * Cap);
    }

    /// <summary>Sends all up the ladder, due at one instant, and waits until all are back.</summary>
    /// <returns>The time from the first to the last due instant, and when each came back.</returns>
    private async Task<(TimeSpan Due, long[] Back)> ReturnAsync(bool limited)
    {
        await using var point = await LimitedPoint.CreateAsync(await broker.CreateVirtualHostAsync(), "herd");
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work, Prefetch);
        if (limited)
        {
            point.Start(Cap, instances: 2, consumerPrefetch: Prefetch);
        }

        var clock = Stopwatch.StartNew();
        var (first, last) = (TimeSpan.MaxValue, TimeSpan.Zero);
        for (var delay = LongestDelay; delay >= ShortestDelay; delay--)
        {
            await Scenario.PauseUntilAsync(clock, TimeSpan.FromSeconds(LongestDelay - delay));
            var wait = TimeSpan.FromSeconds(delay);
            var began = clock.Elapsed;
            await point.FailAsync(Share, (LongestDelay - delay) * Share, wait, limited ? point.Names.Release : point.Names.Work);
            first = began + wait < first ? began + wait : first;
            last = clock.Elapsed + wait > last ? clock.Elapsed + wait : last;
        }

        var failed = Stopwatch.GetTimestamp();
        await arrivals.WaitForAsync(Herd, Deadline);
        await point.StopAsync();

        arrivals.All.Select(arrival => arrival.Id).Distinct().Count().ShouldBe(Herd);
        arrivals.Count.ShouldBe(Herd);
        arrivals.At.Min().ShouldBeGreaterThan(failed, "the first came back while others still failed: this is no herd");
        return (last - first, [.. arrivals.At]);
    }
}
