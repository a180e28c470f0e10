using System.Collections.Concurrent;
using MassTransit;
using MassTransit.Courier.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>Other ways to consume than one consumer for one message: batches, neighbours, sagas, activities.</summary>
[Collection(SharedBroker.Name)]
public sealed class SharedQueueTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Each_message_of_a_failed_batch_climbs_and_is_parked_alone_with_its_own_fault()
    {
        const int messages = 30;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.Of<Item>());
        var batchFaults = await raw.TapAsync(FaultExchange.Of<Batch<Item>>());
        var seen = new Seen();
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint("batches", e =>
            {
                e.PrefetchCount = 50;
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(200)).Retries(1));
                e.ConfigureConsumer<BatchConsumer>(context);
            }),
            x =>
            {
                x.AddGradientRetry();
                x.AddConsumer<BatchConsumer>(c => c.Options<BatchOptions>(batch => batch.SetMessageLimit(10).SetTimeLimit(TimeSpan.FromMilliseconds(300))));
            },
            services: services => services.AddSingleton(seen));

        await SendAsync(service, "batches", Enumerable.Range(0, messages).Select(i => new Item(i)));

        await raw.WaitForCountAsync("batches.parked", messages, Deadline);
        await raw.WaitForCountAsync(faults, messages, Deadline);
        await service.StopAsync();
        seen.Batches.ShouldContain(size => size > 1);
        seen.Attempts.Count.ShouldBe(messages);
        seen.Attempts.Values.ShouldAllBe(attempts => attempts.SequenceEqual(new[] { 1, 2 }));
        var parked = await raw.DrainAsync("batches.parked");
        parked.Select(message => message.Header("retry-id")).Distinct().Count().ShouldBe(messages);
        parked.ShouldAllBe(message => message.Reason() == "Exhausted");
        (await raw.DrainAsync(faults)).Select(fault => fault.BasicProperties.MessageId).Distinct().Count().ShouldBe(messages);
        (await raw.CountAsync(batchFaults)).ShouldBe(0u);
        await raw.ShouldHaveLeftNothingBehindAsync("batches");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_consumers_on_one_queue_make_one_attempt_for_each_delivery_and_one_fault(bool bothFail)
    {
        const int messages = 20;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.Of<Item>());
        var first = new ConcurrentDictionary<int, ConcurrentQueue<int>>();
        var second = new ConcurrentDictionary<int, ConcurrentQueue<int>>();
        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("neighbours", e =>
        {
            e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(2));
            e.Handler<Item>(item =>
            {
                first.GetOrAdd(item.Message.Number, _ => new()).Enqueue(item.GetRedeliveryCount() + 1);
                throw new InvalidOperationException("the first one");
            });
            e.Handler<Item>(item =>
            {
                second.GetOrAdd(item.Message.Number, _ => new()).Enqueue(item.GetRedeliveryCount() + 1);
                return bothFail ? throw new InvalidOperationException("the second one") : Task.CompletedTask;
            });
        }));

        await SendAsync(service, "neighbours", Enumerable.Range(0, messages).Select(i => new Item(i)));

        await raw.WaitForCountAsync("neighbours.parked", messages, Deadline);
        await raw.WaitForCountAsync(faults, messages, Deadline);
        await service.StopAsync();
        first.Values.Concat(second.Values).ShouldAllBe(attempts => attempts.SequenceEqual(new[] { 1, 2, 3 }));
        (await raw.DrainAsync("neighbours.parked")).ShouldAllBe(message => message.Header("retry-attempt") == "4");
        (await raw.DrainAsync(faults)).Select(fault => fault.BasicProperties.MessageId).Distinct().Count().ShouldBe(messages);
        await raw.ShouldHaveLeftNothingBehindAsync("neighbours");
    }

    /// <summary>Two instances change one saga at once; whose save comes second is told so by an exception, and tries again.</summary>
    [Fact]
    public async Task A_saga_that_was_changed_by_another_is_tried_again()
    {
        const int messages = 20;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var seen = new Seen();
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint("sagas", e =>
            {
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(3));
                e.ConfigureSaga<CountState>(context);
            }),
            x =>
            {
                x.AddGradientRetry();
                x.AddSagaStateMachine<CountMachine, CountState>().InMemoryRepository();
            },
            services: services => services.AddSingleton(seen));
        var saga = Guid.NewGuid();

        await SendAsync(service, "sagas", Enumerable.Range(0, messages).Select(i => new Counted(saga, i)));

        await seen.WaitForDoneAsync(messages, Deadline);
        await service.StopAsync();
        seen.Attempts.Values.ShouldAllBe(attempts => attempts.SequenceEqual(new[] { 1, 2, 3 }));
        (await raw.CountAsync("sagas.parked")).ShouldBe(0u);
        await raw.ShouldHaveLeftNothingBehindAsync("sagas");
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(5, false)]
    public async Task An_activity_that_throws_is_tried_again_and_faults_its_routing_slip_only_when_the_policy_gives_up(int failures, bool completes)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var completed = await raw.TapAsync(FaultExchange.ExchangeOf<RoutingSlipCompleted>());
        var faulted = await raw.TapAsync(FaultExchange.ExchangeOf<RoutingSlipFaulted>());
        var seen = new Seen { Failures = failures };
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint("activities", e =>
            {
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(3));
                e.ConfigureExecuteActivity(context, typeof(ShakyActivity));
            }),
            x =>
            {
                x.AddGradientRetry();
                x.AddExecuteActivity<ShakyActivity, ShakyArguments>();
            },
            services: services => services.AddSingleton(seen));
        var builder = new RoutingSlipBuilder(NewId.NextGuid());
        builder.AddActivity("shaky", new Uri("queue:activities"), new { Number = 1 });

        await service.Bus.Execute(builder.Build());

        await raw.WaitForCountAsync(completes ? completed : faulted, 1, Deadline);
        await service.StopAsync();
        seen.Attempts[1].ShouldBe(completes ? [1, 2, 3] : [1, 2, 3, 4]);
        (await raw.CountAsync(completes ? faulted : completed)).ShouldBe(0u);
        (await raw.CountAsync("activities.parked")).ShouldBe(0u);
        await raw.ShouldHaveLeftNothingBehindAsync("activities");
    }

    private static async Task SendAsync<T>(RetryService service, string queue, IEnumerable<T> messages)
        where T : class
    {
        var endpoint = await service.Bus.GetSendEndpoint(new Uri("queue:" + queue));
        await Task.WhenAll(messages.Select(message => endpoint.Send(message)));
    }

    public sealed record Item(int Number);

    public sealed record Counted(Guid CorrelationId, int Number);

    public sealed class Seen
    {
        private int _done;

        public int Failures { get; init; }

        public ConcurrentDictionary<int, ConcurrentQueue<int>> Attempts { get; } = new();

        public ConcurrentQueue<int> Batches { get; } = new();

        public void Attempt(int number, ConsumeContext context) => Attempts.GetOrAdd(number, _ => new()).Enqueue(context.GetRedeliveryCount() + 1);

        public void Done() => Interlocked.Increment(ref _done);

        public async Task WaitForDoneAsync(int count, TimeSpan deadline)
        {
            await Eventually.TrueAsync(() => Volatile.Read(ref _done) >= count, deadline, () => $"{_done} of {count} done");
        }
    }

    public sealed class BatchConsumer(Seen seen) : IConsumer<Batch<Item>>
    {
        public Task Consume(ConsumeContext<Batch<Item>> context)
        {
            seen.Batches.Enqueue(context.Message.Length);
            foreach (var item in context.Message)
            {
                seen.Attempt(item.Message.Number, item);
            }

            throw new InvalidOperationException("the whole batch");
        }
    }

    public sealed class ConcurrencyException(string message) : Exception(message);

    public sealed class CountState : SagaStateMachineInstance
    {
        public Guid CorrelationId { get; set; }

        public string CurrentState { get; set; } = string.Empty;
    }

    public sealed class CountMachine : MassTransitStateMachine<CountState>
    {
        public CountMachine(Seen seen)
        {
            InstanceState(state => state.CurrentState);
            Event(() => Counted);
            Initially(When(Counted).Then(context => Count(seen, context)).TransitionTo(Counting));
            During(Counting, When(Counted).Then(context => Count(seen, context)));
        }

        public global::MassTransit.State Counting { get; private set; } = null!;

        public Event<Counted> Counted { get; private set; } = null!;

        private static void Count(Seen seen, BehaviorContext<CountState, Counted> context)
        {
            seen.Attempt(context.Message.Number, context);
            if (context.GetRedeliveryCount() < 2)
            {
                throw new ConcurrencyException("another instance has changed it");
            }

            seen.Done();
        }
    }

    public sealed record ShakyArguments
    {
        public int Number { get; init; }
    }

    public sealed class ShakyActivity(Seen seen) : IExecuteActivity<ShakyArguments>
    {
        public Task<ExecutionResult> Execute(ExecuteContext<ShakyArguments> context)
        {
            seen.Attempt(context.Arguments.Number, context);
            return seen.Attempts[context.Arguments.Number].Count <= seen.Failures
                ? throw new InvalidOperationException("shaky")
                : Task.FromResult(context.Completed());
        }
    }
}
