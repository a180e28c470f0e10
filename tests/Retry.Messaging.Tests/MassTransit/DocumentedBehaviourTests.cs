using MassTransit;
using MassTransit.Testing;
using Retry.Messaging.Outcomes;
using Shop;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>What the documentation says of cases that MassTransit decides on as much as we do.</summary>
public sealed class DocumentedBehaviourTests
{
    /// <summary>docs/migration.md: what stands in the place of OnMissingInstance(m => m.Redeliver(…)).</summary>
    [Fact]
    public async Task A_saga_that_is_missing_is_retried_by_the_policy_and_parked_at_its_end()
    {
        await using var service = await HarnessService.StartAsync(
            x =>
            {
                x.AddGradientRetry();
                x.AddSagaStateMachine<OrderStateMachine, OrderState>().InMemoryRepository();
                x.AddConfigureEndpointsCallback((context, _, e) => OrderStateMachine.Configure(context, e));
            },
            configure: null,
            static _ => { });
        service.Harness.SkipRetryDelays();

        await service.Bus.Publish(new OrderPaid(NewId.NextGuid()));

        (await service.Harness.Published.Any<Fault<OrderPaid>>()).ShouldBeTrue();
        var parked = service.Harness.GetParked().ShouldHaveSingleItem();
        (parked.Attempts, parked.Reason).ShouldBe((4, ParkReason.Exhausted));
        parked.Exception.ShouldBeOfType<SagaException>();
    }

    /// <summary>docs/policies.md: AttemptTimeout and a consumer that ignores its token.</summary>
    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public async Task A_consumer_that_ignores_its_token_is_judged_by_how_it_ends(bool throws, int parked)
    {
        var runs = 0;
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await HarnessService.StartAsync(
            x => x.AddGradientRetry(retry =>
            {
                retry.Retries(0);
                retry.AttemptTimeout(TimeSpan.FromMilliseconds(50));
            }),
            (_, cfg) => cfg.ReceiveEndpoint("late", e => e.Handler<SubmitOrder>(async context =>
            {
                runs++;
                await context.CancellationToken.WhenCancelled();
                ended.TrySetResult();
                if (throws)
                {
                    throw new InvalidOperationException("late, and not well");
                }
            })),
            static _ => { });

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        await ended.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await service.StopAsync();
        runs.ShouldBe(1);
        service.Harness.GetParked().Count.ShouldBe(parked);
        service.Harness.GetParked().ShouldAllBe(message => message.Exception is TimeoutException);
    }
}

file static class Tokens
{
    public static Task WhenCancelled(this CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        token.Register(() => cancelled.TrySetResult());
        return cancelled.Task;
    }
}
