using System.Collections.Concurrent;
using System.Text;
using MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>The main job: fail, climb, come back; done, or parked.</summary>
[Collection(SharedBroker.Name)]
public sealed class WalkingLadderTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Fails_twice_and_succeeds_on_the_third_attempt()
    {
        var uri = await broker.CreateVirtualHostAsync();
        var attempts = new ConcurrentQueue<int>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("orders", e =>
        {
            e.UseGradientRetry(context, retry => retry.Intervals("100ms", "200ms"));
            e.Handler<Order>(order =>
            {
                attempts.Enqueue(order.GetRedeliveryCount());
                if (attempts.Count < 3)
                {
                    throw new InvalidOperationException("not yet");
                }

                done.SetResult();
                return Task.CompletedTask;
            });
        }));

        await service.Bus.Publish(new Order("o-1"));

        await done.Task.WaitAsync(Deadline);
        attempts.ShouldBe([0, 1, 2]);
        await service.StopAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        (await raw.CountAsync("orders")).ShouldBe(0u);
        (await raw.CountAsync("orders.parked")).ShouldBe(0u);
        (await raw.CountAsync("orders_error")).ShouldBeNull();
        (await raw.CountAsync("orders_skipped")).ShouldBeNull();
    }

    [Fact]
    public async Task Parks_after_the_last_attempt_with_one_fault()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync($"MassTransit:Fault--{typeof(Order).Namespace}:{nameof(WalkingLadderTests)}-{nameof(Order)}--");
        var runs = 0;
        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("orders", e =>
        {
            e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(2));
            e.Handler<Order>(_ =>
            {
                Interlocked.Increment(ref runs);
                throw new InvalidOperationException("never");
            });
        }));

        await service.Bus.Publish(new Order("o-2"));

        await raw.WaitForCountAsync("orders.parked", 1, Deadline);
        await raw.WaitForCountAsync(faults, 1, Deadline);
        runs.ShouldBe(3);
        var parked = (await raw.DrainAsync("orders.parked")).ShouldHaveSingleItem();
        Text(parked.BasicProperties.Headers!["retry-reason"]).ShouldBe("Exhausted");
        Text(parked.BasicProperties.Headers!["retry-history"]).Split('\n').Length.ShouldBe(3);
        Text(parked.BasicProperties.Headers!["MT-Fault-Message"]).ShouldBe("never");
        await service.StopAsync();
        (await raw.CountAsync("orders_error")).ShouldBeNull();
        (await raw.CountAsync("orders_skipped")).ShouldBeNull();
    }

    private static string Text(object? header) => Encoding.UTF8.GetString((byte[])header!);

    public sealed record Order(string Id);
}
