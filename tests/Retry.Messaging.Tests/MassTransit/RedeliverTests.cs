using MassTransit;
using MassTransit.Testing;
using Retry.Messaging.MassTransit;
using Retry.Messaging.Outcomes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary><c>context.Redeliver(delay)</c> is an outcome of the attempt like any other: there is one for each delivery.</summary>
public sealed class RedeliverTests
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(200);
    private int _runs;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_redelivery_and_an_exception_are_one_outcome(bool outbox)
    {
        await using var service = await StartAsync(
            async context =>
            {
                await context.Redeliver(Delay);
                throw new InvalidOperationException("all the same");
            },
            outbox);

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        await service.StopAsync();
        _runs.ShouldBe(4);
        service.Harness.GetParked().ShouldHaveSingleItem().Exception.Message.ShouldBe("all the same");
        service.Faults.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_redelivery_asks_the_policys_bound()
    {
        await using var service = await StartAsync(context => context.Redeliver(Delay));

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        await service.StopAsync();
        _runs.ShouldBe(4);
        var parked = service.Harness.GetParked().ShouldHaveSingleItem();
        parked.State.Reason.ShouldBe(ParkReason.Exhausted);
        parked.Exception.ShouldBeOfType<RedeliveryRefusedException>().Message.ShouldStartWith("The consumer of queue 'orders' asked for redelivery in 200ms, but the policy allows no further attempt");
        service.Faults.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Asking_twice_is_one_redelivery()
    {
        await using var service = await StartAsync(async context =>
        {
            if (context.GetRedeliveryCount() == 0)
            {
                await context.Redeliver(Delay);
                await context.Redeliver(Delay);
            }
        });

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        await ConsumedAsync(service, 2);
        await service.StopAsync();
        _runs.ShouldBe(2);
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [Fact]
    public async Task Asking_after_the_attempt_has_ended_is_refused()
    {
        ConsumeContext<SubmitOrder>? ended = null;
        await using var service = await StartAsync(context =>
        {
            ended = context;
            return Task.CompletedTask;
        });
        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));
        await ConsumedAsync(service, 1);
        await service.StopAsync();

        var refused = await Should.ThrowAsync<InvalidOperationException>(() => ended!.Redeliver(Delay));

        refused.Message.ShouldContain("after the attempt had ended");
        _runs.ShouldBe(1);
    }

    private static async Task ConsumedAsync(HarnessService service, int times)
    {
        var seen = 0;
        await foreach (var _ in service.Harness.Consumed.SelectAsync<SubmitOrder>())
        {
            if (++seen == times)
            {
                return;
            }
        }
    }

    private async Task<HarnessService> StartAsync(Func<ConsumeContext<SubmitOrder>, Task> consume, bool outbox = false)
    {
        var service = await HarnessService.StartAsync(
            x => x.AddGradientRetry(retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(3)),
            (context, cfg) => cfg.ReceiveEndpoint("orders", e =>
            {
                if (outbox)
                {
                    e.UseInMemoryOutbox(context);
                }

                e.Handler<SubmitOrder>(message =>
                {
                    Interlocked.Increment(ref _runs);
                    return consume(message);
                });
            }),
            _ => { });
        service.Harness.SkipRetryDelays();
        return service;
    }
}
