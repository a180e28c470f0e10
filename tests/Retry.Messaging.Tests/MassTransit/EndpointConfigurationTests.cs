using System.Reflection;
using MassTransit;
using MassTransit.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit;
using Retry.Messaging.MassTransit.Configuration;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>Which endpoints become retry points, and by which settings. Buses are built, never started.</summary>
public class EndpointConfigurationTests
{
    [Fact]
    public async Task Settings_of_appsettings_win_over_code_over_the_definition_over_the_bus()
    {
        var settings = Settings(("Defaults:ValidFor", "1.00:00:00"), ("Defaults:Retries", "99"), ("Endpoints:defined:First", "00:00:01"));

        var policy = await PolicyOf(
            "defined",
            x =>
            {
                x.AddConsumer<OrderConsumer, OrderDefinition>();
                x.AddGradientRetry(retry => { retry.Exponential(first: S(9), factor: 9, max: S(999)).Retries(9); });
                x.AddConfigureEndpointsCallback((context, _, e) => e.UseGradientRetry(context, retry => retry.Exponential(first: S(3), factor: 3)));
            },
            settings: settings);

        // first: appsettings; factor: code; max: definition; retries: bus; validity: appsettings' defaults
        policy.ShouldBe("Exponential(first: 1s, factor: 3, max: 55s).Retries(9).Jitter(Full), valid for 1d");
    }

    [Fact]
    public async Task Two_calls_on_one_endpoint_merge_and_the_later_wins() =>
        (await PolicyOf(
            "orders",
            x => x.AddGradientRetry(),
            (context, cfg) => cfg.ReceiveEndpoint("orders", e =>
            {
                e.UseGradientRetry(context, retry => retry.Fixed(S(7)).Retries(3));
                e.UseGradientRetry(context, retry => retry.Retries(4));
                e.Handler<SubmitOrder>(_ => Task.CompletedTask);
            }))).ShouldBe("Fixed(7s).Retries(4), valid for 7d");

    [Fact]
    public async Task Without_a_word_every_endpoint_is_a_retry_point_and_the_bus_endpoint_is_not()
    {
        await using var provider = Build(
            x => { x.AddConsumer<OrderConsumer>(); x.AddGradientRetry(); x.AddRequestClient<OrderSubmitted>(); },
            (_, cfg) => cfg.ReceiveEndpoint("handled", e => e.Handler<SubmitOrder>(_ => Task.CompletedTask)),
            services: services => services.AddSingleton(new Journal()));

        Policies(provider).Keys.ShouldBe(["handled", "Order"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_disabled_endpoint_is_left_alone()
    {
        await using var provider = Build(
            x => x.AddGradientRetry(),
            (context, cfg) => cfg.ReceiveEndpoint("handled", e =>
            {
                e.DisableGradientRetry();
                e.Handler<SubmitOrder>(_ => Task.CompletedTask);
            }));

        Policies(provider).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Endpoints:handled:Retires", "3", "GradientRetry:Endpoints:handled:Retires", "did you mean 'Retries'")]
    [InlineData("Endpoints:handled:Retries", "-3", "GradientRetry:Endpoints:handled:Retries", "-3")]
    [InlineData("Endpoints:handled:First", "soon", "GradientRetry:Endpoints:handled:First", "soon")]
    [InlineData("Defaults:Fail:0", "Shop.NoSuchException", "GradientRetry:Defaults:Fail:0", "Shop.NoSuchException")]
    [InlineData("Endpoint:handled:Retries", "3", "GradientRetry:Endpoint", "did you mean 'Endpoints'")]
    public async Task Wrong_appsettings_are_a_start_up_error_with_their_path(string key, string value, string path, string text)
    {
        var error = await StartUpError(x => x.AddGradientRetry(), (_, cfg) => cfg.ReceiveEndpoint("handled", e => e.Handler<SubmitOrder>(_ => Task.CompletedTask)), Settings((key, value)));

        error.ShouldContain(path);
        error.ShouldContain(text);
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_reported_at_once()
    {
        var error = await StartUpError(
            x => x.AddGradientRetry(),
            (context, cfg) => cfg.ReceiveEndpoint("handled", e =>
            {
                e.UseGradientRetry(context, retry => { retry.Retries(-1); retry.ValidFor(TimeSpan.Zero); });
                e.Handler<SubmitOrder>(_ => Task.CompletedTask);
            }),
            Settings(("Endpoints:handled:First", "soon")));

        error.ShouldContain("handled:Retries");
        error.ShouldContain("handled:ValidFor");
        error.ShouldContain("GradientRetry:Endpoints:handled:First");
    }

    [Theory]
    [InlineData("Defaults:ValidFor", "0s")]
    [InlineData("Endpoints:handled:Retries", "-3")]
    public async Task What_is_wrong_in_appsettings_is_not_said_again_by_the_endpoints_that_merge_it(string key, string value)
    {
        var error = await StartUpError(
            x => x.AddGradientRetry(),
            (_, cfg) =>
            {
                cfg.ReceiveEndpoint("handled", e => e.Handler<SubmitOrder>(_ => Task.CompletedTask));
                cfg.ReceiveEndpoint("other", e => e.Handler<SubmitOrder>(_ => Task.CompletedTask));
            },
            Settings((key, value)));

        error.Split("wanted").Length.ShouldBe(2, error);
    }

    [Fact]
    public async Task UseGradientRetry_alone_names_the_line_to_add() =>
        (await StartUpError(_ => { }, (context, cfg) => cfg.ReceiveEndpoint("handled", e => e.UseGradientRetry(context)))).ShouldContain("x.AddGradientRetry();");

    [Theory]
    [InlineData("endpoint, consumer")]
    [InlineData("endpoint, handler")]
    [InlineData("endpoint, saga")]
    [InlineData("endpoint, scheduled")]
    [InlineData("endpoint, before")]
    [InlineData("bus")]
    [InlineData("consumer")]
    [InlineData("batch")]
    public async Task Redelivery_by_MassTransit_on_a_retry_point_is_refused(string where) =>
        (await StartUpError(x => Register(x, where, disabled: false), (context, cfg) => Redeliver(context, cfg, where, disabled: false)))
            .ShouldContain("UseDelayedRedelivery or UseScheduledRedelivery");

    [Theory]
    [InlineData("endpoint, consumer")]
    [InlineData("endpoint, handler")]
    [InlineData("endpoint, saga")]
    [InlineData("bus")]
    [InlineData("consumer")]
    public async Task On_a_disabled_endpoint_it_may_stay(string where)
    {
        await using var provider = Build(x => Register(x, where, disabled: true), (context, cfg) => Redeliver(context, cfg, where, disabled: true), services: services => services.AddSingleton(new Journal()));

        provider.GetRequiredService<IBusControl>().ShouldNotBeNull();
    }

    /// <summary>It would publish a Fault after each attempt, whatever becomes of the message.</summary>
    [Theory]
    [InlineData("endpoint")]
    [InlineData("endpoint, handler")]
    [InlineData("bus")]
    [InlineData("consumer")]
    [InlineData("batch")]
    [InlineData("saga")]
    [InlineData("state machine")]
    public async Task A_time_out_by_MassTransit_on_a_retry_point_is_refused(string where) =>
        (await StartUpError(x => RegisterWithTimeOut(x, where, disabled: false), (_, cfg) => UseTimeOut(cfg, where)))
            .ShouldSatisfyAllConditions(
                error => error.ShouldContain("found UseTimeout for"),
                error => error.ShouldContain("retry.AttemptTimeout(time)"),
                error => error.ShouldNotContain("UseDelayedRedelivery"));

    [Theory]
    [InlineData("endpoint")]
    [InlineData("bus")]
    [InlineData("consumer")]
    [InlineData("saga")]
    public async Task On_a_disabled_endpoint_a_time_out_may_stay(string where)
    {
        await using var provider = Build(x => RegisterWithTimeOut(x, where, disabled: true), (_, cfg) => UseTimeOut(cfg, where), services: services => services.AddSingleton(new Journal()));

        provider.GetRequiredService<IBusControl>().ShouldNotBeNull();
    }

    /// <summary>The job service's, and the routing slip's: neither publishes a Fault for an attempt.</summary>
    [Theory]
    [InlineData("job consumer")]
    [InlineData("activity")]
    public async Task Where_no_message_is_parked_a_time_out_may_stay(string where)
    {
        await using var provider = Build(
            x => RegisterWithTimeOut(x, where, disabled: false),
            services: services => services.AddSingleton(new Journal()));

        provider.GetRequiredService<IBusControl>().ShouldNotBeNull();
    }

    [Fact]
    public async Task A_time_out_and_a_redelivery_are_both_named()
    {
        var error = await StartUpError(x =>
        {
            x.AddGradientRetry();
            x.AddConsumer<OrderConsumer>();
            x.AddConfigureEndpointsCallback((_, _, e) =>
            {
                e.UseDelayedRedelivery(retry => retry.Interval(1, 1000));
                e.UseTimeout(timeout => timeout.Timeout = S(5));
            });
        });

        error.ShouldContain("found UseTimeout for");
        error.ShouldContain("found UseDelayedRedelivery or UseScheduledRedelivery for");
    }

    [Fact]
    public async Task A_filter_of_a_users_own_may_be_called_timeout()
    {
        await using var provider = Build(
            x =>
            {
                x.AddGradientRetry();
                x.AddConsumer<OrderConsumer>((_, consumer) => consumer.Message<SubmitOrder>(message => message.UseFilter(new OwnTimeOut())));
            },
            services: services => services.AddSingleton(new Journal()));

        provider.GetRequiredService<IBusControl>().ShouldNotBeNull();
    }

    [Fact]
    public async Task Immediate_retries_of_MassTransit_are_fine()
    {
        await using var provider = Build(
            x => { x.AddConsumer<OrderConsumer>(); x.AddGradientRetry(); x.AddConfigureEndpointsCallback((_, _, e) => e.UseMessageRetry(retry => retry.Immediate(3))); },
            (_, cfg) => cfg.UseMessageRetry(retry => retry.Immediate(2)),
            services: services => services.AddSingleton(new Journal()));

        provider.GetRequiredService<IBusControl>().ShouldNotBeNull();
    }

    [Fact]
    public async Task Another_transport_is_refused_by_name()
    {
        await using var services = new ServiceCollection().BuildServiceProvider();
        var endpoint = DispatchProxy.Create<IReceiveEndpointConfigurator, ForeignEndpoint>();

        new EndpointObserver(services, new GradientRetryOptions()).EndpointConfigured(endpoint);

        var result = ((ForeignEndpoint)(object)endpoint).Specification.ShouldNotBeNull().Validate().ShouldHaveSingleItem();
        result.Disposition.ShouldBe(ValidationResultDisposition.Failure);
        result.Message.ShouldContain("Graded retry runs on RabbitMQ");
        result.Message.ShouldContain("DisableGradientRetry");
    }

    [Theory]
    [InlineData(true, false, "transient")]
    [InlineData(false, true, "deleted when nobody uses it")]
    public async Task A_queue_that_does_not_last_cannot_be_asked_to(bool transient, bool autoDelete, string reason) =>
        (await RabbitMqStartUpError("temporary", asked: true, transient, autoDelete)).ShouldNotBeNull().ShouldContain(reason);

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task A_queue_that_does_not_last_is_left_alone_by_itself(bool transient, bool autoDelete) =>
        (await RabbitMqStartUpError("temporary", asked: false, transient, autoDelete)).ShouldBeNull();

    [Theory]
    [InlineData(231, true, null)]
    [InlineData(232, true, "Shorten the queue's name by 1 bytes")]
    [InlineData(239, true, "Shorten the queue's name by 8 bytes")]
    [InlineData(239, false, null)]
    public async Task A_release_queue_whose_name_does_not_fit_into_a_routing_key_is_refused(int length, bool isLimited, string? error) =>
        (await StartUpErrorOfNames(new string('q', length), isLimited)).ShouldSatisfyAllConditions(
            found => (found is null).ShouldBe(error is null, found),
            found => (found ?? string.Empty).ShouldContain(error ?? string.Empty));

    [Fact]
    public async Task A_queue_with_a_name_of_the_ladders_own_is_refused() =>
        (await StartUpErrorOfNames("retry.v1.lost", isLimited: false)).ShouldNotBeNull().ShouldContain("the broker's and the ladder's own");

    [Theory]
    [InlineData("work", "work.release")]
    [InlineData("work.release", "work")]
    public async Task A_release_queue_that_is_another_endpoints_work_queue_is_refused(string first, string second)
    {
        var error = await RabbitMqStartUpError(first, (context, e) => e.UseGradientRetry(context, Limit), second);

        error.ShouldNotBeNull().ShouldContain("its release queue 'work.release' is another endpoint's work queue");
    }

    [Fact]
    public async Task A_queue_that_cannot_be_a_destination_is_refused() =>
        (await RabbitMqStartUpError(new string('q', 245), asked: false, transient: false, autoDelete: false)).ShouldNotBeNull().ShouldContain("leaves 239");

    [Fact]
    public async Task Each_of_several_buses_has_its_own_settings()
    {
        var services = new ServiceCollection();
        services.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            x.AddGradientRetry(retry => retry.Fixed(S(1)).Retries(1));
            x.UsingInMemory((_, cfg) => cfg.ReceiveEndpoint("first", e => e.Handler<SubmitOrder>(_ => Task.CompletedTask)));
        });
        services.AddMassTransit<ISecondBus>(x =>
        {
            x.AddGradientRetry(retry => retry.Fixed(S(2)).Retries(2));
            x.UsingInMemory((_, cfg) => cfg.ReceiveEndpoint("second", e => e.Handler<SubmitOrder>(_ => Task.CompletedTask)));
        });
        services.AddMassTransit<IThirdBus>(x => x.UsingInMemory((_, cfg) => cfg.ReceiveEndpoint("third", e => e.Handler<SubmitOrder>(_ => Task.CompletedTask))));
        await using var provider = services.BuildServiceProvider(validateScopes: true);

        Policies(provider.GetRequiredService<IBusControl>()).ShouldBe(new Dictionary<string, string> { ["first"] = "Fixed(1s).Retries(1), valid for 7d" });
        Policies(provider.GetRequiredService<ISecondBus>()).ShouldBe(new Dictionary<string, string> { ["second"] = "Fixed(2s).Retries(2), valid for 7d" });
        Policies(provider.GetRequiredService<IThirdBus>()).ShouldBeEmpty();
    }

    [Fact]
    public void On_a_consumer_it_does_not_compile_and_says_why()
    {
        var refusal = typeof(GradientRetryConfigurationExtensions).GetMethods()
            .Single(method => method.Name == "UseGradientRetry" && method.GetParameters()[0].ParameterType == typeof(IConsumerConfigurator))
            .GetCustomAttribute<ObsoleteAttribute>().ShouldNotBeNull();

        refusal.IsError.ShouldBeTrue();
        refusal.Message!.ShouldContain("receive endpoint");
    }

    private static void Register(IBusRegistrationConfigurator x, string where, bool disabled)
    {
        x.AddGradientRetry();
        x.AddSagaRepository<OrderSaga>().InMemoryRepository();
        if (where == "consumer")
        {
            x.AddConsumer<OrderConsumer>((_, consumer) => consumer.UseDelayedRedelivery(retry => retry.Interval(1, 1000)));
        }
        else if (where == "batch")
        {
            x.AddConsumer<BatchConsumer>();
        }
        else
        {
            x.AddConsumer<OrderConsumer>();
        }

        x.AddConfigureEndpointsCallback((_, _, e) =>
        {
            if (disabled)
            {
                e.DisableGradientRetry();
            }

            if (where is "endpoint, consumer" or "batch")
            {
                e.UseDelayedRedelivery(retry => retry.Interval(1, 1000));
            }
            else if (where == "endpoint, scheduled")
            {
                e.UseScheduledRedelivery(retry => retry.Interval(1, 1000));
            }
        });
    }

    private static void RegisterWithTimeOut(IBusRegistrationConfigurator x, string where, bool disabled)
    {
        x.AddGradientRetry();
        switch (where)
        {
            case "consumer":
                x.AddConsumer<OrderConsumer>((_, consumer) => consumer.UseTimeout(timeout => timeout.Timeout = S(5)));
                break;
            case "batch":
                x.AddConsumer<BatchConsumer>();
                break;
            case "job consumer":
                x.AddConsumer<OrderJob>().Endpoint(e => e.Name = where);
                break;
            case "activity":
                x.AddExecuteActivity<OrderActivity, SubmitOrder>().Endpoint(e => e.Name = where);
                break;
            case "saga":
                x.AddSaga<OrderSaga>((_, saga) => saga.UseTimeout(timeout => timeout.Timeout = S(5))).InMemoryRepository();
                break;
            case "state machine":
                x.AddSagaStateMachine<OrderMachine, OrderState>((_, saga) => saga.UseTimeout(timeout => timeout.Timeout = S(5))).InMemoryRepository();
                break;
            default:
                x.AddConsumer<OrderConsumer>();
                break;
        }

        x.AddConfigureEndpointsCallback((_, name, e) =>
        {
            if (disabled)
            {
                e.DisableGradientRetry();
            }

            if (where is "endpoint" or "batch" || name == where)
            {
                e.UseTimeout(timeout => timeout.Timeout = S(5));
            }
        });
    }

    private static void UseTimeOut(IInMemoryBusFactoryConfigurator cfg, string where)
    {
        if (where == "bus")
        {
            cfg.UseTimeout(timeout => timeout.Timeout = S(5));
        }

        if (where == "endpoint, handler")
        {
            cfg.ReceiveEndpoint("by-hand", e =>
            {
                e.UseTimeout(timeout => timeout.Timeout = S(5));
                e.Handler<SubmitOrder>(_ => Task.CompletedTask);
            });
        }
    }

    private static void Redeliver(IBusRegistrationContext context, IInMemoryBusFactoryConfigurator cfg, string where, bool disabled)
    {
        if (where == "bus")
        {
            cfg.UseDelayedRedelivery(retry => retry.Interval(1, 1000));
        }

        cfg.ReceiveEndpoint("by-hand", e =>
        {
            if (disabled)
            {
                e.DisableGradientRetry();
            }

            if (where is "endpoint, handler" or "endpoint, saga")
            {
                e.UseDelayedRedelivery(retry => retry.Interval(1, 1000));
            }

            if (where is "endpoint, saga")
            {
                e.Saga(context.GetRequiredService<ISagaRepository<OrderSaga>>());
            }
            else
            {
                e.Handler<SubmitOrder>(_ => Task.CompletedTask);
            }

            if (where is "endpoint, before")
            {
                e.UseDelayedRedelivery(retry => retry.Interval(1, 1000)); // after its consumers: MassTransit asks for no order
            }
        });
    }

    private static ServiceProvider Build(
        Action<IBusRegistrationConfigurator> register,
        Action<IBusRegistrationContext, IInMemoryBusFactoryConfigurator>? configure = null,
        IReadOnlyDictionary<string, string?>? settings = null,
        Action<IServiceCollection>? services = null)
    {
        var collection = new ServiceCollection();
        collection.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings ?? new Dictionary<string, string?>()).Build());
        services?.Invoke(collection);
        collection.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            register(x);
            x.UsingInMemory((context, cfg) =>
            {
                configure?.Invoke(context, cfg);
                cfg.ConfigureEndpoints(context);
            });
        });
        return collection.BuildServiceProvider(validateScopes: true);
    }

    private static async Task<string> StartUpError(
        Action<IBusRegistrationConfigurator> register,
        Action<IBusRegistrationContext, IInMemoryBusFactoryConfigurator>? configure = null,
        IReadOnlyDictionary<string, string?>? settings = null)
    {
        await using var provider = Build(register, configure, settings, services => services.AddSingleton(new Journal()));
        return Should.Throw<Exception>(() => provider.GetRequiredService<IBusControl>()).ToString();
    }

    private static Task<string?> RabbitMqStartUpError(string queue, bool asked, bool transient, bool autoDelete) =>
        RabbitMqStartUpError(queue, (context, e) =>
        {
            e.Durable = !transient;
            e.AutoDelete = autoDelete;
            if (asked)
            {
                e.UseGradientRetry(context);
            }
        });

    private static Task<string?> StartUpErrorOfNames(string queue, bool isLimited) =>
        RabbitMqStartUpError(queue, (context, e) => e.UseGradientRetry(context, isLimited ? Limit : null));

    private static void Limit(RetryPointBuilder retry) => retry.LimitRedelivery(10);

    private static async Task<string?> RabbitMqStartUpError(
        string queue,
        Action<IBusRegistrationContext, IRabbitMqReceiveEndpointConfigurator> endpoint,
        params string[] others)
    {
        var services = new ServiceCollection();
        services.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            x.AddGradientRetry();
            x.UsingRabbitMq((context, cfg) =>
            {
                foreach (var name in others.Prepend(queue))
                {
                    cfg.ReceiveEndpoint(name, e =>
                    {
                        endpoint(context, e);
                        e.Handler<SubmitOrder>(_ => Task.CompletedTask);
                    });
                }
            });
        });
        await using var provider = services.BuildServiceProvider(validateScopes: true);
        try
        {
            provider.GetRequiredService<IBusControl>();
            return null;
        }
        catch (ConfigurationException exception)
        {
            return exception.ToString();
        }
    }

    private static async Task<string> PolicyOf(
        string queue,
        Action<IBusRegistrationConfigurator> register,
        Action<IBusRegistrationContext, IInMemoryBusFactoryConfigurator>? configure = null,
        IReadOnlyDictionary<string, string?>? settings = null)
    {
        await using var provider = Build(register, configure, settings, services => services.AddSingleton(new Journal()));
        return Policies(provider)[queue];
    }

    private static Dictionary<string, string> Policies(IServiceProvider provider) => Policies(provider.GetRequiredService<IBusControl>());

    private static Dictionary<string, string> Policies(IBus bus)
    {
        var look = new ProbeLook();
        ((IProbeSite)bus).Probe(look);
        return look.Policies;
    }

    private static Dictionary<string, string?> Settings(params (string Key, string Value)[] settings) =>
        settings.ToDictionary(setting => "GradientRetry:" + setting.Key, string? (setting) => setting.Value);

    private static TimeSpan S(int seconds) => TimeSpan.FromSeconds(seconds);

    public interface ISecondBus : IBus;

    public interface IThirdBus : IBus;

    public sealed class BatchConsumer : IConsumer<Batch<SubmitOrder>>
    {
        public Task Consume(ConsumeContext<Batch<SubmitOrder>> context) => Task.CompletedTask;
    }

    public sealed class OrderJob : IJobConsumer<SubmitOrder>
    {
        public Task Run(JobContext<SubmitOrder> context) => Task.CompletedTask;
    }

    public sealed class OrderActivity : IExecuteActivity<SubmitOrder>
    {
        public Task<ExecutionResult> Execute(ExecuteContext<SubmitOrder> context) => Task.FromResult(context.Completed());
    }

    public sealed class OrderState : SagaStateMachineInstance
    {
        public Guid CorrelationId { get; set; }

        public string CurrentState { get; set; } = string.Empty;
    }

    public sealed class OrderMachine : MassTransitStateMachine<OrderState>
    {
        public OrderMachine()
        {
            InstanceState(state => state.CurrentState);
            Initially(When(Submitted).TransitionTo(Final));
        }

        public Event<SubmitOrder> Submitted { get; private set; } = null!;
    }

    public sealed class OwnTimeOut : IFilter<ConsumeContext<SubmitOrder>>
    {
        public Task Send(ConsumeContext<SubmitOrder> context, IPipe<ConsumeContext<SubmitOrder>> next) => next.Send(context);

        public void Probe(ProbeContext context) => context.CreateFilterScope("timeout");
    }

    public sealed class OrderDefinition : ConsumerDefinition<OrderConsumer>
    {
        public OrderDefinition() => EndpointName = "defined";

        protected override void ConfigureConsumer(IReceiveEndpointConfigurator endpointConfigurator, IConsumerConfigurator<OrderConsumer> consumerConfigurator, IRegistrationContext context) =>
            endpointConfigurator.UseGradientRetry(context, retry => retry.Exponential(first: S(5), factor: 5, max: S(55)));
    }

    public class ForeignEndpoint : DispatchProxy
    {
        public IPipeSpecification<ConsumeContext>? Specification { get; private set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Specification = args?.OfType<IPipeSpecification<ConsumeContext>>().FirstOrDefault() ?? Specification;
            return null;
        }
    }

    /// <summary>Reads the policies out of a bus's description of itself.</summary>
    private sealed class ProbeLook : ProbeContext
    {
        private readonly Dictionary<string, object> _values = [];
        private readonly ProbeLook _root;

        public ProbeLook() => _root = this;

        private ProbeLook(ProbeLook root) => _root = root;

        public Dictionary<string, string> Policies { get; } = [];

        public CancellationToken CancellationToken => CancellationToken.None;

        public void Add(string key, string value)
        {
            _values[key] = value;
            if (key == "policy" && _values.TryGetValue("filterType", out var type) && type is "gradientRetry")
            {
                _root.Policies.Add((string)_values["queue"], value);
            }
        }

        public void Add(string key, object value)
        {
        }

        public void Set(object values)
        {
        }

        public void Set(IEnumerable<KeyValuePair<string, object>> values)
        {
        }

        public ProbeContext CreateScope(string key) => new ProbeLook(_root);
    }
}
