using MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

[Collection(SharedBroker.Name)]
public sealed class OutboxTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    public static TheoryData<string> Orders => ["outbox, retry", "retry, outbox", "outbox, message retry, retry", "retry, message retry, outbox", "message retry, outbox, retry"];

    /// <summary>The filter ends the exception; an outbox outside of it would take that for success.</summary>
    [Theory]
    [MemberData(nameof(Orders))]
    public async Task The_event_of_a_failing_consumer_is_not_published(string order)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var events = await raw.TapAsync(FaultExchange.ExchangeOf<Charged>());
        var faults = await raw.TapAsync(FaultExchange.Of<Charge>());
        var runs = 0;
        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("charges", e =>
        {
            foreach (var step in order.Split(", "))
            {
                switch (step)
                {
                    case "outbox":
                        e.UseInMemoryOutbox(context);
                        break;
                    case "message retry":
                        e.UseMessageRetry(retry => retry.Immediate(1));
                        break;
                    default:
                        e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(1));
                        break;
                }
            }

            e.Handler<Charge>(async charge =>
            {
                Interlocked.Increment(ref runs);
                await charge.Publish(new Charged(charge.Message.Id));
                throw new InvalidOperationException("after publishing");
            });
        }));

        await service.Bus.Publish(new Charge("c-1"));

        await raw.WaitForCountAsync("charges.parked", 1, Deadline);
        await raw.WaitForCountAsync(faults, 1, Deadline);
        await service.StopAsync();
        runs.ShouldBe(order.Contains("message retry", StringComparison.Ordinal) ? 4 : 2);
        (await raw.CountAsync(events)).ShouldBe(0u);
        (await raw.CountAsync(faults)).ShouldBe(1u);
    }

    public sealed record Charge(string Id);

    public sealed record Charged(string Id);
}
