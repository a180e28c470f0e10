using System.Diagnostics;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.Tests.Waiting;
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

    /// <summary>A record of a stream is a delivery, too. A reader that is cut off reads all of it again, and who stands on it begins anew.</summary>
    [Fact]
    public async Task A_control_log_is_read_for_longer_than_the_consumer_timeout()
    {
        var broker = await node.Broker.CreateVirtualHostAsync();
        await using var connection = await BrokerFixture.ConnectAsync(broker);
        await using var stream = new RecordStream(connection, BrokerNames.ControlStream, ControlLog.Retention, TimeProvider.System);
        await stream.DeclareAsync(CancellationToken.None);
        await stream.AppendAsync(new BasicProperties(), "one"u8.ToArray(), CancellationToken.None);
        var read = 0;
        string? failure = null;
        await stream.FollowAsync(_ => Interlocked.Increment(ref read), reason => failure = reason, CancellationToken.None);
        await Eventually.TrueAsync(() => read == 1, Deadline);

        // its own tick included
        await Never.TrueAsync(() => failure is not null, ShortConsumerTimeout.Timeout + TimeSpan.FromSeconds(3), () => failure!);

        await stream.AppendAsync(new BasicProperties(), "two"u8.ToArray(), CancellationToken.None);
        await Eventually.TrueAsync(() => read == 2, Deadline);
    }
}
