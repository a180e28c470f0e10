using System.Runtime.CompilerServices;
using MassTransit.Scheduling;
using MassTransit.Transports;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Retry.Messaging.MassTransit.Configuration;
using Retry.Messaging.MassTransit.Scheduling;

#pragma warning disable IDE0130 // extensions live where the user already is
namespace MassTransit;
#pragma warning restore IDE0130

/// <summary>MassTransit's delayed messages on a RabbitMQ without the delay plugin.</summary>
public static class GradientSchedulerConfigurationExtensions
{
    /// <summary>Has everything in MassTransit that delays a message work on a RabbitMQ without plugin and without a database.</summary>
    /// <remarks>
    /// <c>IMessageScheduler</c>, <c>context.ScheduleSend</c>, the schedules and request time-outs of sagas, <c>context.Redeliver</c>,
    /// <c>context.Defer</c> and <c>UseDelayedRedelivery</c> work unchanged; <c>AddDelayedMessageScheduler</c> and
    /// <c>UseDelayedMessageScheduler</c> are done by this call, and may stay. What is delayed waits on the ladder, replicated, for any time from 100 ms to
    /// years, and never arrives before its time, and not at all where it was cancelled a second before. <c>IRecurringMessageScheduler</c> works, too, and
    /// <c>AddRecurring</c> adds what recurs in code. On other transports nothing changes.
    /// </remarks>
    /// <param name="configurator">The bus's registration.</param>
    /// <param name="configure">Settings; none is needed.</param>
    /// <exception cref="NotSupportedException">MassTransit or RabbitMQ.Client is loaded in a version that this package does not allow.</exception>
    public static IBusRegistrationConfigurator AddGradientScheduler(
        this IBusRegistrationConfigurator configurator,
        Action<GradientSchedulerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(configurator);
        SupportedPackages.Check();
        Add(
            configurator,
            configure,
            static services => services.GetRequiredService<DependencyInjection.Bind<IBus, IBusRegistrationContext>>().Value,
            static services => services.GetRequiredService<DependencyInjection.Bind<IBus, IBusInstance>>().Value);
        configurator.RemoveAll<IMessageScheduler>();
        configurator.AddScoped(static provider => GradientScheduleProvider.Scheduler(
            provider.GetRequiredService<ISendEndpointProvider>(),
            provider.GetRequiredService<IBus>().Topology,
            provider.GetService<TimeProvider>() ?? TimeProvider.System));
        configurator.TryAddScoped<IRecurringMessageScheduler>(static services =>
        {
            var bus = services.GetRequiredService<IBus>();
            return new PublishRecurringMessageScheduler(bus, bus.Topology);
        });
        return configurator;
    }

    /// <summary>Has everything that delays a message work on one of several buses (MultiBus).</summary>
    /// <typeparam name="TBus">The bus.</typeparam>
    /// <inheritdoc cref="AddGradientScheduler(IBusRegistrationConfigurator, Action{GradientSchedulerOptions})"/>
    public static IBusRegistrationConfigurator<TBus> AddGradientScheduler<TBus>(
        this IBusRegistrationConfigurator<TBus> configurator,
        Action<GradientSchedulerOptions>? configure = null)
        where TBus : class, IBus
    {
        ArgumentNullException.ThrowIfNull(configurator);
        SupportedPackages.Check();
        Add(
            configurator,
            configure,
            static services => services.GetRequiredService<DependencyInjection.Bind<TBus, IBusRegistrationContext>>().Value,
            static services => services.GetRequiredService<IBusInstance<TBus>>());
        configurator.RemoveAll<DependencyInjection.Bind<TBus, IMessageScheduler>>();
        configurator.AddScoped(static provider => DependencyInjection.Bind<TBus>.Create(GradientScheduleProvider.Scheduler(
            provider.GetRequiredService<DependencyInjection.Bind<TBus, ISendEndpointProvider>>().Value,
            provider.GetRequiredService<TBus>().Topology,
            provider.GetService<TimeProvider>() ?? TimeProvider.System)));
        configurator.TryAddScoped(static services =>
        {
            var bus = services.GetRequiredService<TBus>();
            return DependencyInjection.Bind<TBus>.Create<IRecurringMessageScheduler>(new PublishRecurringMessageScheduler(bus, bus.Topology));
        });
        return configurator;
    }

    // Not inlined: types of ours that a changed interface of MassTransit would break are loaded with this method, after the check.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Add(
        IServiceCollection services,
        Action<GradientSchedulerOptions>? configure,
        Func<IServiceProvider, IBusRegistrationContext> contextOf,
        Func<IServiceProvider, IBusInstance> instanceOf)
    {
        var options = new GradientSchedulerOptions();
        configure?.Invoke(options);
        services.AddSingleton(new GradientSchedulerRegistration(options, contextOf, instanceOf));
        if (!services.Any(service => service.ServiceType == typeof(GradientSchedulerHealthCheck)))
        {
            services.AddSingleton<GradientSchedulerHealthCheck>();
            services.AddHealthChecks().AddCheck<GradientSchedulerHealthCheck>(GradientSchedulerHealthCheck.Name, HealthStatus.Degraded, ["ready", "masstransit"]);
        }

        BusConfigurationHook.AddTo(services);
    }
}
