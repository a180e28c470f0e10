using System.Text;
using System.Text.Json;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Decisions;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Instances;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>The Fault of a message that is given up without having been consumed.</summary>
[Collection(SharedBroker.Name)]
public sealed class PoisonFaultTests(BrokerFixture broker)
{
    private const string Queue = "killers";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("""{"number":7}""", true)]
    [InlineData("""{"number":"not a number"}""", false)]
    public async Task Poison_is_announced_as_a_fault_of_its_type_where_that_can_be_read(string message, bool canBeRead)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var typed = await raw.TapAsync(FaultExchange.Of<IOrder>());
        var untyped = await raw.TapAsync(FaultExchange.ExchangeOf<ReceiveFault>());
        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            await channel.QueueDeclareAsync(Queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { [RabbitMQ.Client.Headers.XQueueType] = "quorum" });
        }

        // the most derived type first, as MassTransit writes them; nobody here consumes that one
        var body = $$"""{"messageType":["urn:message:Shop:PlacedOrder","{{MessageUrn.ForTypeString<IOrder>()}}"],"message":{{message}}}""";
        await raw.PublishAsync(string.Empty, Queue, Encoding.UTF8.GetBytes(body), new BasicProperties { ContentType = "application/vnd.masstransit+json", MessageId = Guid.NewGuid().ToString() });

        await raw.WaitForCountAsync(Queue, 1, Deadline);

        // a process that is gone with the message in its hands, without a word
        await using (var announcements = new Announcements(new RecordStream(raw.Connection, BrokerNames.AnnouncementStream, Announcements.Retention, TimeProvider.System)))
        {
            await announcements.SayAsync(InstanceDocument.Began(new ServedPoint(Queue), "the dead one", new(DateTimeOffset.UtcNow, "1.0.0", "none", ".NET", null), "test", DateTimeOffset.UtcNow), default);
        }

        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            (await channel.BasicGetAsync(Queue, autoAck: false)).ShouldNotBeNull();
        }

        var runs = 0;
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint(Queue, e =>
            {
                e.SetQuorumQueue();
                e.UseGradientRetry(context);
                e.Handler<IOrder>(_ =>
                {
                    runs++;
                    return Task.CompletedTask;
                });
            }),
            x => x.AddGradientRetry(options => options.Suspicion = new CrashSuspicion { DeathsAtMost = 1 }));

        await raw.WaitForCountAsync(Queue + ".parked", 1, Deadline);
        await raw.WaitForCountAsync(canBeRead ? typed : untyped, 1, Deadline);
        await service.StopAsync();
        (await raw.DrainAsync(Queue + ".parked")).ShouldHaveSingleItem().Reason().ShouldBe("Poison");
        (await raw.CountAsync(canBeRead ? untyped : typed)).ShouldBe(0u);
        runs.ShouldBe(0);
        var fault = JsonDocument.Parse((await raw.DrainAsync(canBeRead ? typed : untyped)).ShouldHaveSingleItem().Body).RootElement.GetProperty("message");
        fault.GetProperty("exceptions")[0].GetProperty("exceptionType").GetString().ShouldBe("Retry.Messaging.Outcomes.PoisonMessageException");
        if (canBeRead)
        {
            fault.GetProperty("message").GetProperty("number").GetInt32().ShouldBe(7);
        }

        await raw.ShouldHaveLeftNothingBehindAsync(Queue);
    }

    public interface IOrder
    {
        int Number { get; }
    }
}
