using System.Diagnostics;
using System.Globalization;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Testing;
using Retry.Messaging.Naming;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>Twenty queues with 100 messages a second: alone, beside a queue that has a thousand due each second, and beside one that takes none of them.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class IllDestinationTests(OwnNode node, ITestOutputHelper output) : IClassFixture<OwnNode>
{
    private const int Others = 20;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    public enum Illness
    {
        Refuses,
        IsSilent,
        FallsSilent,
    }


    [Theory]
    [Trait("Category", "Long")]
    [InlineData(Illness.Refuses)]
    [InlineData(Illness.IsSilent)]
    [InlineData(Illness.FallsSilent)]
    public Task With_10_000_for_a_queue_that_takes_nothing_20_others_are_not_250_ms_later(Illness illness) => RunAsync(illness, TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(250));

    /// <summary>One that held up others would do so for five seconds.</summary>
    [Theory]
    [InlineData(Illness.Refuses)]
    [InlineData(Illness.IsSilent)]
    [InlineData(Illness.FallsSilent)]
    public Task A_queue_that_takes_nothing_holds_back_only_its_own(Illness illness) => RunAsync(illness, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));

    private async Task RunAsync(Illness illness, TimeSpan during, TimeSpan mostGrowth)
    {
        var crowd = (int)during.TotalSeconds * 1000;
        var uri = await node.Broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var service = await ScheduledService.StartAsync(uri, (_, _) => { });
        await raw.WaitForConsumersAsync(BrokerNames.ScheduleQueue, 1, Deadline);
        var healthy = illness == Illness.FallsSilent ? "ill" : "healthy";
        foreach (var queue in Enumerable.Range(0, Others).Select(i => $"other{i}").Append(healthy))
        {
            await raw.DeclareQueueAsync(queue);
        }

        var alone = await LatenessAsync(raw, during, crowd: 0, healthy);
        var besideHealthy = await LatenessAsync(raw, during, crowd, healthy);
        await raw.WaitForCountAsync(healthy, (uint)crowd, Deadline);
        await raw.DrainAsync(healthy);
        await (illness == Illness.Refuses ? FillAsync(raw) : SilenceAsync(raw, uri));
        var beside = await LatenessAsync(raw, during, crowd, "ill");

        output.WriteLine($"p99 lateness of {Others} others: alone {alone:0} ms, beside {crowd} for a healthy queue {besideHealthy:0} ms, for an ill one ({illness}) {beside:0} ms");
        (await raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
        await (illness == Illness.Refuses ? MakeRoomAsync(raw) : ControlAsync("resume", uri));
        await Eventually.TrueAsync(async () => await raw.CountAsync("ill") >= crowd, TimeSpan.FromMinutes(3), every: TimeSpan.FromSeconds(1));
        await raw.WaitForCountAsync(BrokerNames.ScheduleQueue, 0, Deadline);
        var arrived = (await raw.DrainAsync("ill")).GroupBy(message => message.BasicProperties.MessageId).ToList();
        arrived.Count.ShouldBe(crowd);
        arrived.ShouldAllBe(copies => copies.Count(copy => !IsMarked(copy)) <= 1);
        (beside - Math.Max(alone, besideHealthy)).ShouldBeLessThan(mostGrowth.TotalMilliseconds);
    }

    private static bool IsMarked(BasicGetResult message) => message.BasicProperties.Headers?.ContainsKey(RetryHeaderNames.Repeated) == true;

    private async Task SilenceAsync(RawClient raw, Uri uri)
    {
        await raw.DeclareQueueAsync("ill");
        await ControlAsync("suspend", uri);
    }

    // what a queue does that has no majority: it takes what it is sent, and answers nothing
    private async Task ControlAsync(string verb, Uri uri)
    {
        var answer = await node.Broker.ControlAsync(
            "eval",
            $"[sys:{verb}(element(1, amqqueue:get_pid(Q))) || Q <- rabbit_amqqueue:list(<<\"{Uri.UnescapeDataString(uri.AbsolutePath[1..])}\">>), element(4, amqqueue:get_name(Q)) =:= <<\"ill\">>].");
        answer.Trim().ShouldBe("[ok]");
    }

    private static async Task FillAsync(RawClient raw)
    {
        await using var channel = await raw.Connection.CreateChannelAsync();
        await channel.QueueDeclareAsync("ill", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { [Headers.XQueueType] = "quorum", [Headers.XMaxLength] = 1, [Headers.XOverflow] = "reject-publish" });
        await raw.PublishAsync(string.Empty, "ill", "first"u8.ToArray());
        await raw.PublishAsync(string.Empty, "ill", "second"u8.ToArray());
    }

    private static async Task MakeRoomAsync(RawClient raw)
    {
        await using var channel = await raw.Connection.CreateChannelAsync();
        await channel.QueueDeleteAsync("ill");
        await raw.DeclareQueueAsync("ill");
    }

    private static async Task<double> LatenessAsync(RawClient raw, TimeSpan during, int crowd, string crowded)
    {
        const int Ticks = 100;
        var wanted = (int)during.TotalSeconds * 100;
        var late = new List<double>();
        await using var receiving = await raw.Connection.CreateChannelAsync();
        var consumer = new AsyncEventingBasicConsumer(receiving);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            lock (late)
            {
                late.Add((DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(delivery.BasicProperties.MessageId!, CultureInfo.InvariantCulture))).TotalMilliseconds);
            }

            return Task.CompletedTask;
        };
        foreach (var i in Enumerable.Range(0, Others))
        {
            await receiving.BasicConsumeAsync($"other{i}", autoAck: true, consumer);
        }

        var clock = Stopwatch.StartNew();
        for (var tick = 0; tick < Ticks; tick++)
        {
            await Scenario.PauseUntilAsync(clock, during / Ticks * tick);
            await raw.PublishManyAsync(DueMessage.Exchange, DueMessage.RoutingKey, MessagesOf(tick));
        }

        await Eventually.TrueAsync(() => Count() == wanted, Deadline, () => $"{Count()} of {wanted} arrived");
        late.Sort();
        return late[(int)(late.Count * 0.99)];

        // one by one, as they are written: its id tells when
        IEnumerable<(byte[] Body, BasicProperties Properties)> MessagesOf(int tick)
        {
            var some = wanted / Ticks;
            for (var i = 0; i < some; i++)
            {
                for (var j = 0; j < crowd / wanted; j++)
                {
                    yield return DueMessage.For(crowded, $"{tick}-{i}-{j}");
                }

                yield return DueMessage.For($"other{((tick * some) + i) % Others}", DateTimeOffset.UtcNow.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));
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
}
