using MassTransit;
using MassTransit.Courier.Contracts;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit.InMemory;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>A consumer that ends with a time-out of its own: MassTransit throws an exception of its own instead, and names no cause.</summary>
public sealed class CancelledConsumerTests
{
    private const string Cause = "The request was canceled due to the configured HttpClient.Timeout of 100 seconds elapsing.";
    private readonly Runs _runs = new();

    public static TheoryData<string> Consumers => ["consumer", "consumer with immediate retries", "instance", "handler", "saga", "state machine", "batch"];

    [Theory]
    [MemberData(nameof(Consumers))]
    public async Task Its_own_exception_is_decided_on_and_named(string kind)
    {
        await using var service = await StartAsync(kind, retry => retry.Fail<TaskCanceledException>());

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        ShouldNameTheCause(await ParkedAsync(service)).State.Reason.ShouldBe(ParkReason.Failed);
        _runs.Count.ShouldBe(kind == "consumer with immediate retries" ? 3 : 1);
    }

    [Theory]
    [MemberData(nameof(Consumers))]
    public async Task An_exception_inside_it_has_its_policy(string kind)
    {
        await using var service = await StartAsync(kind, retry => { retry.Retries(8); retry.For<TimeoutException>(timeout => timeout.Immediate(1)); });

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        ShouldNameTheCause(await ParkedAsync(service)).State.Attempt.ShouldBe(3);
    }

    [Fact]
    public async Task What_is_handled_is_not_a_failure()
    {
        await using var service = await StartAsync("consumer", retry => { retry.Immediate(1); retry.Handle<HttpRequestException>(); retry.Handle<TimeoutException>(); });

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await ParkedAsync(service)).State.Reason.ShouldBe(ParkReason.Exhausted);
    }

    /// <summary>A batch fails through the context of its last message.</summary>
    [Fact]
    public async Task Each_message_of_a_batch_knows_the_cause()
    {
        await using var service = await StartAsync("batch", retry => retry.Fail<TaskCanceledException>());

        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => service.Bus.Publish(new SubmitOrder(NewId.NextGuid()))));

        await FaultsAsync(service, 10);
        service.Harness.GetParked().Count.ShouldBe(10);
        foreach (var parked in service.Harness.GetParked())
        {
            ShouldNameTheCause(parked);
        }
    }

    [Fact]
    public async Task Of_two_consumers_the_one_that_was_cancelled_is_named()
    {
        await using var service = await StartAsync(
            "handler",
            retry => retry.Fail<TaskCanceledException>(),
            e => e.Instance(new OtherConsumer()));

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        var parked = await ParkedAsync(service);
        parked.Exception.Message.ShouldBeOneOf(Cause, OtherConsumer.Cause);
        parked.Exception.ShouldBeOfType<TaskCanceledException>();
    }

    /// <summary>The host of an activity asks the policy, and does not park.</summary>
    [Fact]
    public async Task An_activity_is_tried_again_by_the_policy_of_its_own_exception()
    {
        await using var service = await HarnessService.StartAsync(
            x =>
            {
                x.AddExecuteActivity<SlowActivity, SlowArguments>().Endpoint(e => e.Name = "slow");
                x.AddGradientRetry(retry => { retry.Retries(8); retry.For<TimeoutException>(timeout => timeout.Immediate(2)); });
            },
            null,
            services => services.AddSingleton(_runs));
        var slip = new RoutingSlipBuilder(NewId.NextGuid());
        slip.AddActivity("slow", new Uri("queue:slow"));

        await service.Bus.Execute(slip.Build());

        (await service.Harness.Published.Any<RoutingSlipFaulted>()).ShouldBeTrue();
        _runs.Count.ShouldBe(3);
    }

    private static InMemoryParkedMessage ShouldNameTheCause(InMemoryParkedMessage parked)
    {
        parked.Exception.ShouldBeOfType<TaskCanceledException>();
        parked.State.Error.ShouldBe("System.Threading.Tasks.TaskCanceledException: " + Cause);
        parked.Headers[RetryHeaderNames.ErrorTypes].ShouldBe("System.Threading.Tasks.TaskCanceledException, System.TimeoutException");
        return parked;
    }

    private static async Task<InMemoryParkedMessage> ParkedAsync(HarnessService service)
    {
        await FaultsAsync(service, 1);
        await service.StopAsync();
        return service.Harness.GetParked().ShouldHaveSingleItem();
    }

    private static async Task FaultsAsync(HarnessService service, int count)
    {
        var seen = 0;
        await foreach (var _ in service.Harness.Published.SelectAsync<Fault<SubmitOrder>>())
        {
            if (++seen == count)
            {
                return;
            }
        }
    }

    private static async Task TimeOutAsync()
    {
        await Task.Yield();
        throw new TaskCanceledException(Cause, new TimeoutException("A task was canceled."));
    }

    private async Task<HarnessService> StartAsync(string kind, Action<RetryPointBuilder> retry, Action<IReceiveEndpointConfigurator>? addTo = null)
    {
        var service = await HarnessService.StartAsync(
            x =>
            {
                switch (kind)
                {
                    case "consumer" or "consumer with immediate retries":
                        x.AddConsumer<SlowConsumer>();
                        break;
                    case "batch":
                        x.AddConsumer<SlowBatchConsumer>(consumer => consumer.Options<BatchOptions>(batch => batch.SetMessageLimit(5).SetTimeLimit(TimeSpan.FromMilliseconds(100))));
                        break;
                    case "saga":
                        x.AddSaga<SlowSaga>().InMemoryRepository();
                        break;
                    case "state machine":
                        x.AddSagaStateMachine<SlowMachine, SlowState>().InMemoryRepository();
                        break;
                }

                x.AddGradientRetry(retry);
                x.AddConfigureEndpointsCallback((_, _, e) =>
                {
                    if (kind == "consumer with immediate retries")
                    {
                        e.UseMessageRetry(immediate => immediate.Immediate(2));
                    }
                });
            },
            (_, cfg) =>
            {
                if (kind is not ("instance" or "handler"))
                {
                    return;
                }

                cfg.ReceiveEndpoint("orders", e =>
                {
                    addTo?.Invoke(e);
                    switch (kind)
                    {
                        case "instance":
                            e.Instance(new SlowConsumer(_runs));
                            break;
                        default:
                            e.Handler<SubmitOrder>(_ => _runs.TimeOutAsync());
                            break;
                    }
                });
            },
            services => services.AddSingleton(_runs));
        service.Harness.SkipRetryDelays();
        return service;
    }

    public sealed class Runs
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public Task TimeOutAsync()
        {
            Interlocked.Increment(ref _count);
            return CancelledConsumerTests.TimeOutAsync();
        }
    }

    public sealed class SlowConsumer(Runs runs) : IConsumer<SubmitOrder>
    {
        public Task Consume(ConsumeContext<SubmitOrder> context) => runs.TimeOutAsync();
    }

    public sealed class SlowBatchConsumer(Runs runs) : IConsumer<Batch<SubmitOrder>>
    {
        public Task Consume(ConsumeContext<Batch<SubmitOrder>> context) => runs.TimeOutAsync();
    }

    public sealed class OtherConsumer : IConsumer<SubmitOrder>
    {
        public const string Cause = "another time-out";

        public Task Consume(ConsumeContext<SubmitOrder> context) => throw new TaskCanceledException(Cause);
    }

    public sealed class SlowSaga : ISaga, InitiatedBy<SubmitOrder>
    {
        public Guid CorrelationId { get; set; }

        public Task Consume(ConsumeContext<SubmitOrder> context) => context.GetPayload<IServiceProvider>().GetRequiredService<Runs>().TimeOutAsync();
    }

    public sealed class SlowState : SagaStateMachineInstance
    {
        public Guid CorrelationId { get; set; }

        public string CurrentState { get; set; } = string.Empty;
    }

    public sealed class SlowMachine : MassTransitStateMachine<SlowState>
    {
        public SlowMachine(Runs runs)
        {
            InstanceState(state => state.CurrentState);
            Initially(When(Submitted).ThenAsync(_ => runs.TimeOutAsync()));
        }

        public Event<SubmitOrder> Submitted { get; private set; } = null!;
    }

    public sealed record SlowArguments;

    public sealed class SlowActivity(Runs runs) : IExecuteActivity<SlowArguments>
    {
        public async Task<ExecutionResult> Execute(ExecuteContext<SlowArguments> context)
        {
            await runs.TimeOutAsync();
            return context.Completed();
        }
    }
}
