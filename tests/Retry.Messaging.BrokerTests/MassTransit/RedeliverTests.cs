using MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

[Collection(SharedBroker.Name)]
public sealed class RedeliverTests(BrokerFixture broker)
{
    /// <summary>A message that was published once for each of the two had 143 runs and 136 parked copies after 4 s, without end.</summary>
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task What_asks_for_redelivery_and_may_throw_has_one_outcome_for_each_delivery(bool outbox, bool throws)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.Of<Job>());
        var runs = 0;
        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("asking", e =>
        {
            e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(3));
            if (outbox)
            {
                e.UseInMemoryOutbox(context);
            }

            e.Handler<Job>(async job =>
            {
                Interlocked.Increment(ref runs);
                await job.Redeliver(TimeSpan.FromMilliseconds(200));
                if (throws)
                {
                    throw new InvalidOperationException("after it has asked");
                }
            });
        }));
        var endpoint = await service.Bus.GetSendEndpoint(new Uri("queue:asking"));

        await endpoint.Send(new Job(1));

        await raw.WaitForCountAsync(faults, 1, TimeSpan.FromSeconds(30));
        // what is on a rung has at most 200 ms to go: nothing is, or the count is never reached
        await raw.WaitForCountAsync("retry.v1.100ms", 0, TimeSpan.FromSeconds(10));
        await raw.WaitForCountAsync("retry.v1.200ms", 0, TimeSpan.FromSeconds(10));
        await service.StopAsync();
        runs.ShouldBe(4);
        (await raw.CountAsync("asking.parked")).ShouldBe(1u);
        (await raw.CountAsync(faults)).ShouldBe(1u);
        (await raw.CountAsync("asking")).ShouldBe(0u);
    }

    public sealed record Job(int Number);
}
