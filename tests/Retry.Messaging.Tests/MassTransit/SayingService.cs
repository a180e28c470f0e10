using System.Collections.Concurrent;
using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>A service whose consumer of one kind or another says what a test wants, with two retries.</summary>
public sealed class SayingService
{
    public const int BatchSize = 3;

    public static readonly string[] Kinds = ["consumer", "handler", "saga", "state machine", "batch"];

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly ConcurrentQueue<DateTimeOffset> _times = [];
    private Action<ConsumeContext> _say = _ => { };

    /// <summary>When the consumer ran, in order.</summary>
    public IReadOnlyList<DateTimeOffset> Times => [.. _times];

    public int Runs => _times.Count;

    public Task RanAsync(int times) => Eventually.TrueAsync(() => Runs >= times, Deadline, () => $"it ran {Runs} times");

    public static async Task FaultsAsync(HarnessService service, int count)
    {
        var seen = 0;
        await foreach (var _ in service.Harness.Published.SelectAsync<Fault<SubmitOrder>>())
        {
            if (++seen == count)
            {
                return;
            }
        }

        throw new TimeoutException($"{seen} Faults of {count}.");
    }

    public async Task<HarnessService> StartAsync(
        string kind,
        Action<ConsumeContext> say,
        bool skipDelays = true,
        Action<IReceiveEndpointConfigurator>? endpoint = null)
    {
        _say = say;
        var service = await HarnessService.StartAsync(
            x =>
            {
                x.AddGradientRetry(retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(2));
                x.AddConsumer<SayingConsumer>();
                x.AddConsumer<SayingBatchConsumer>(consumer => consumer.Options<BatchOptions>(batch => batch.SetMessageLimit(BatchSize).SetTimeLimit(TimeSpan.FromSeconds(1))));
                x.AddSaga<SayingSaga>().InMemoryRepository();
                x.AddSagaStateMachine<SayingMachine, SayingState>().InMemoryRepository();
            },
            (context, cfg) => cfg.ReceiveEndpoint("orders", e =>
            {
                endpoint?.Invoke(e);
                switch (kind)
                {
                    case "consumer":
                        e.ConfigureConsumer<SayingConsumer>(context);
                        break;
                    case "batch":
                        e.ConfigureConsumer<SayingBatchConsumer>(context);
                        break;
                    case "saga":
                        e.ConfigureSaga<SayingSaga>(context);
                        break;
                    case "state machine":
                        e.ConfigureSaga<SayingState>(context);
                        break;
                    default:
                        e.Handler<SubmitOrder>(SayAsync);
                        break;
                }
            }),
            services => services.AddSingleton(this),
            endpoints: false);
        if (skipDelays)
        {
            service.Harness.SkipRetryDelays();
        }

        return service;
    }

    private Task SayAsync(ConsumeContext context)
    {
        _times.Enqueue(TimeProvider.System.GetUtcNow());
        _say(context);
        return Task.CompletedTask;
    }

    public sealed class SayingConsumer(SayingService service) : IConsumer<SubmitOrder>
    {
        public Task Consume(ConsumeContext<SubmitOrder> context) => service.SayAsync(context);
    }

    public sealed class SayingBatchConsumer(SayingService service) : IConsumer<Batch<SubmitOrder>>
    {
        public Task Consume(ConsumeContext<Batch<SubmitOrder>> context) => service.SayAsync(context);
    }

    public sealed class SayingSaga : ISaga, InitiatedByOrOrchestrates<SubmitOrder>
    {
        public Guid CorrelationId { get; set; }

        public Task Consume(ConsumeContext<SubmitOrder> context) => context.GetPayload<IServiceProvider>().GetRequiredService<SayingService>().SayAsync(context);
    }

    public sealed class SayingState : SagaStateMachineInstance
    {
        public Guid CorrelationId { get; set; }

        public string CurrentState { get; set; } = string.Empty;
    }

    public sealed class SayingMachine : MassTransitStateMachine<SayingState>
    {
        public SayingMachine(SayingService service)
        {
            InstanceState(state => state.CurrentState);
            Initially(When(Submitted).ThenAsync(service.SayAsync).TransitionTo(Seen));
            During(Seen, When(Submitted).ThenAsync(service.SayAsync));
        }

        public Event<SubmitOrder> Submitted { get; private set; } = null!;

        public State Seen { get; private set; } = null!;
    }
}
