using System.Diagnostics;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>A message may wait for its turn for longer than the broker lets a delivery be held.</summary>
public sealed class LimiterTimeoutTests(ShortConsumerTimeout node) : IClassFixture<ShortConsumerTimeout>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>One message in seven seconds, and a consumer timeout of five, of which nobody has told the limiter.</summary>
    [Fact]
    public async Task A_cap_with_longer_intervals_than_the_consumer_timeout_is_kept_and_releases()
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await point.FillAsync(20);
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        point.Start(perSecond: 1.0 / 7);

        await arrivals.WaitForAsync(2, Deadline);

        arrivals.All.Select(arrival => arrival.Id).Distinct().Count().ShouldBe(arrivals.Count);
        var times = arrivals.At.Order().ToList();
        Stopwatch.GetElapsedTime(times[0], times[1]).ShouldBeGreaterThan(TimeSpan.FromSeconds(6.9));
    }
}
