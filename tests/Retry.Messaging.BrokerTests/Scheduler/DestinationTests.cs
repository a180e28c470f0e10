using System.Diagnostics;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Naming;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>Destinations that take nothing, or that the dispatcher may not write to.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class DestinationTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Others = 20;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task What_names_an_exchange_that_is_not_in_the_list_is_lost_with_the_cause()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var service = await ScheduledService.StartAsync(uri, (_, _) => { }, scheduler: options => options.Exchanges = ["allowed"]);
        var due = DateTime.UtcNow.AddSeconds(1);

        await service.Scheduler.ScheduleSend(new Uri("queue:forbidden"), due, new Order(1));
        await service.Scheduler.ScheduleSend(new Uri("queue:allowed"), due, new Order(2));

        await raw.WaitForCountAsync("allowed", 1, Deadline);
        await raw.WaitForCountAsync(BrokerNames.LostQueue, 1, Deadline);
        var lost = (await raw.DrainAsync(BrokerNames.LostQueue)).ShouldHaveSingleItem().BasicProperties.Headers!;
        Encoding.UTF8.GetString((byte[])lost["retry-error"]!).ShouldBe("Exchange 'forbidden' is none of those that the dispatcher may publish to.");
        (await raw.CountAsync("forbidden")).ShouldBe(0u);
    }

    /// <summary>The same twenty queues with 100 messages a second: alone, and beside a queue that has a thousand due each second and takes none.</summary>
    [Fact]
    public async Task A_queue_that_takes_nothing_holds_back_only_its_own()
    {
        const int Crowd = 10_000;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var service = await ScheduledService.StartAsync(uri, (_, _) => { });
        await service.Scheduler.ScheduleSend(new Uri("queue:warm"), DateTime.UtcNow.AddSeconds(1), new Order(0));
        await raw.WaitForCountAsync("warm", 1, Deadline);
        foreach (var queue in Enumerable.Range(0, Others).Select(i => $"other{i}").Append("healthy"))
        {
            await raw.DeclareQueueAsync(queue);
        }

        await using var channel = await raw.Connection.CreateChannelAsync();
        await channel.QueueDeclareAsync("bad", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum", ["x-max-length"] = 1, ["x-overflow"] = "reject-publish" });
        await raw.PublishAsync(string.Empty, "bad", "first"u8.ToArray());
        await raw.PublishAsync(string.Empty, "bad", "second"u8.ToArray());

        var alone = await LatenessAsync(raw, TimeSpan.FromSeconds(10), crowd: 0, "healthy");
        var besideHealthy = await LatenessAsync(raw, TimeSpan.FromSeconds(10), Crowd, "healthy");
        var beside = await LatenessAsync(raw, TimeSpan.FromSeconds(10), Crowd, "bad");

        output.WriteLine($"p99 lateness: alone {alone:0} ms, beside {Crowd} for a healthy queue {besideHealthy:0} ms, for one that refuses {beside:0} ms");
        // a queue that held back others would do so for five seconds
        (beside - Math.Max(alone, besideHealthy)).ShouldBeLessThan(2000);
        await channel.QueueDeleteAsync("bad");
        await channel.QueueDeclareAsync("bad", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" });
        await Eventually.TrueAsync(async () => await raw.CountAsync("bad") >= Crowd, TimeSpan.FromMinutes(3), every: TimeSpan.FromSeconds(1));
        (await raw.DrainAsync("bad")).Select(message => message.BasicProperties.MessageId).OfType<string>().Distinct().Count().ShouldBe(Crowd);
    }

    // from the ladder's return, as if each had waited: what is measured is the dispatcher's part
    private static async Task<double> LatenessAsync(RawClient raw, TimeSpan during, int crowd, string crowded)
    {
        const int Ticks = 100;
        var late = new List<double>();
        await using var receiving = await raw.Connection.CreateChannelAsync();
        var consumer = new AsyncEventingBasicConsumer(receiving);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            lock (late)
            {
                late.Add((DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(delivery.BasicProperties.MessageId!, System.Globalization.CultureInfo.InvariantCulture))).TotalMilliseconds);
            }

            return Task.CompletedTask;
        };
        foreach (var i in Enumerable.Range(0, Others))
        {
            await receiving.QueuePurgeAsync($"other{i}");
            await receiving.BasicConsumeAsync($"other{i}", autoAck: true, consumer);
        }

        var clock = Stopwatch.StartNew();
        for (var tick = 0; tick < Ticks; tick++)
        {
            await Scenario.PauseUntilAsync(clock, during / Ticks * tick);
            await raw.PublishManyAsync(BrokerNames.ReturnExchange, "0.0.0.0.0.0.0.0." + BrokerNames.ScheduleQueue, MessagesOf(tick));
        }

        await Eventually.TrueAsync(() => Count() == Ticks * Others / 2, Deadline, () => $"{Count()} of {Ticks * Others / 2} arrived");
        late.Sort();
        return late[(int)(late.Count * 0.99)];

        // one by one, as they are written: its id tells when
        IEnumerable<(byte[] Body, BasicProperties Properties)> MessagesOf(int tick)
        {
            for (var i = 0; i < Others / 2; i++)
            {
                for (var j = 0; j < crowd / Ticks / (Others / 2); j++)
                {
                    yield return Message(crowded, $"{tick}-{i}-{j}");
                }

                yield return Message($"other{(i * 2) + (tick % 2)}", DateTimeOffset.UtcNow.ToUnixTimeMilliseconds().ToString(System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        int Count()
        {
            lock (late)
            {
                return late.Count;
            }
        }
    }

    private static (byte[] Body, BasicProperties Properties) Message(string queue, string id) => (
        "one"u8.ToArray(),
        new BasicProperties
        {
            MessageId = id,
            Headers = new Dictionary<string, object?>
            {
                [RetryHeaderNames.Schedule] = ScheduleHeader.Write(new ScheduleState { DueAt = DateTimeOffset.UtcNow, Kept = new KeptProperties { Exchange = string.Empty, RoutingKey = queue } }),
            },
        });

    public sealed record Order(int Number);
}
