using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>What the management API shows of how patient the broker is with a queue.</summary>
public sealed class TimeoutWatchTests(ShortConsumerTimeout node) : IClassFixture<ShortConsumerTimeout>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task The_delivery_limit_is_shown_by_all_and_the_consumer_timeout_since_4_3()
    {
        var uri = await node.Broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        using var management = new RawManagement(node.Broker, uri);
        await using var channel = await raw.Connection.CreateChannelAsync();
        foreach (var queue in (string[])["plain", "limited"])
        {
            await raw.DeclareQueueAsync(queue);
            await channel.BasicConsumeAsync(queue, autoAck: false, new AsyncDefaultBasicConsumer(channel));
        }

        var shows = Version.Parse(node.Broker.Version) >= new Version(4, 3);
        await management.SetPolicyAsync("limits", "^limited$", shows ? new Dictionary<string, object> { ["delivery-limit"] = 7, ["consumer-timeout"] = 90_000 } : new Dictionary<string, object> { ["delivery-limit"] = 7 });
        var address = BrokerAddress.Parse(uri.ToString());
        using var client = new ManagementClient(address, ManagementAddress.Of(address, node.Broker.ManagementUri!.ToString()));

        // a consumer reports some seconds after it has begun, and a policy holds a moment after it was written
        var found = await TimeoutWatch.ReadAsync(client, CancellationToken.None);
        await Eventually.TrueAsync(
            async () =>
            {
                found = await TimeoutWatch.ReadAsync(client, CancellationToken.None);
                return found["limited"].Limit is not null && (!shows || found["plain"].Timeout is not null);
            },
            Deadline,
            () => $"the limited queue shows {found["limited"]}, the plain one {found["plain"]}");

        found["plain"].ShouldBe((shows ? ShortConsumerTimeout.Timeout : null, null));
        found["limited"].ShouldBe((shows ? TimeSpan.FromSeconds(90) : null, 7));
        await ReachesThePointAsync(raw.Connection, () => new ManagementClient(address, ManagementAddress.Of(address, node.Broker.ManagementUri!.ToString())), shows);
    }

    private static async Task ReachesThePointAsync(IConnection connection, Func<ManagementClient> client, bool shows)
    {
        var clock = new FakeTimeProvider();
        var hold = new HoldTime();
        var times = new PointTimes("limited", hold, deliveryLimit: null, clock);
        // a broker whose limit counts, whatever this one is
        bool IsNear(int returns) => times.Begin(new Version(4, 0), returns).IsLast;
        IsNear(6).ShouldBeFalse();
        var watch = new TimeoutWatch(clock, NullLogger.Instance);
        watch.Add(times);

        watch.Start(connection, client);
        clock.Advance(TimeSpan.FromSeconds(10));

        await Eventually.TrueAsync(() => IsNear(6), Deadline);
        hold.ConsumerTimeout.ShouldBe(shows ? TimeSpan.FromSeconds(90) : null);
    }
}
