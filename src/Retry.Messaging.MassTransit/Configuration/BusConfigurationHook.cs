using MassTransit;
using MassTransit.UsageTracking;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit.Scheduling;
using Retry.Messaging.RabbitMq.Listing;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Connects our endpoint observer to a bus before any of its endpoints is configured.</summary>
/// <remarks>
/// <c>AddConfigureEndpointsCallback</c> sees only the endpoints of ConfigureEndpoints; an endpoint observer sees all, but
/// has to be connected before the user's configuration runs. The usage tracker is the one public call at that moment, so
/// ours stands in front of MassTransit's.
/// </remarks>
internal sealed class BusConfigurationHook(IServiceProvider services, IUsageTracker inner) : IUsageTracker, IAsyncDisposable
{
    private readonly UnknownEndpoints _unknown = new(
        services.GetServices<GradientRetryRegistration>().Count(),
        (services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance).CreateLogger<UnknownEndpoints>());

    /// <summary>Puts it in front of MassTransit's own, once for all buses.</summary>
    public static void AddTo(IServiceCollection services)
    {
        if (!services.Any(service => service.ServiceType == typeof(BusConfigurationHook)))
        {
            services.AddSingleton(provider => new BusConfigurationHook(provider, ActivatorUtilities.CreateInstance<UsageTracker>(provider)));
            services.AddSingleton<IUsageTracker>(provider => provider.GetRequiredService<BusConfigurationHook>());
        }
    }

    public void PreConfigureBus<T>(T configurator, IBusRegistrationContext context)
        where T : IBusFactoryConfigurator
    {
        inner.PreConfigureBus(configurator, context);
        EndpointObserver? points = null;
        foreach (var registration in services.GetServices<GradientRetryRegistration>())
        {
            if (ReferenceEquals(registration.ContextOf(services), context))
            {
                var endpoints = points = new EndpointObserver(services, registration.Options);
                configurator.ConnectEndpointConfigurationObserver(endpoints);
                _unknown.Add(endpoints);
                configurator.ConnectBusObserver(_unknown);
                configurator.ConnectBusObserver(new StopNotice(endpoints));
            }
        }

        var recurring = services.GetServices<RecurringRegistration>().Where(one => ReferenceEquals(one.ContextOf(services), context)).ToList();
        if (services.GetServices<GradientSchedulerRegistration>().FirstOrDefault(scheduler => ReferenceEquals(scheduler.ContextOf(services), context)) is { } found)
        {
            AddScheduler(configurator, found, points?.Keeper, recurring);
        }
        else if (recurring.Count > 0)
        {
            throw new ConfigurationException("Found AddRecurring without AddGradientScheduler on the same bus, wanted both. Add x.AddGradientScheduler().");
        }
    }

    public void PreConfigureRider<T>(T configurator)
        where T : IRiderFactoryConfigurator =>
        inner.PreConfigureRider(configurator);

    private void AddScheduler<T>(
        T configurator,
        GradientSchedulerRegistration scheduler,
        TopologyKeeper? keeper,
        IReadOnlyList<RecurringRegistration> recurring)
        where T : IBusFactoryConfigurator
    {
        var time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        configurator.AddPrePipeSpecification(new GradientSchedulerSpecification(time));
        // other transports delay by themselves
        if (configurator is not IRabbitMqBusFactoryConfigurator)
        {
            return;
        }

        var logging = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        var settings = GradientRetryConfiguration.Read(services.GetService<IConfiguration>()?.GetSection(GradientRetryConfiguration.SectionName));
        keeper ??= new TopologyKeeper(
            settings.ManageTopology ?? TopologyManagement.OnStart,
            new TopologyRounds(),
            time,
            Random.Shared,
            logging.CreateLogger<TopologyKeeper>());
        var guard = new LadderGuard(keeper, time);
        var recurrences = new BusRecurrences(() => scheduler.InstanceOf(services).Bus, recurring, time, logging.CreateLogger<BusRecurrences>());
        var index = scheduler.Options.ListScheduled ? new ScheduleIndexWriter(time, Random.Shared, logging.CreateLogger<ScheduleIndexWriter>()) : null;
        var sent = new SentSchedules(index);
        var observer = new ScheduleObserver(guard, recurrences.Calls, sent, time);
        configurator.ConnectSendObserver(observer);
        configurator.ConnectPublishObserver(observer);
        var bus = new BusScheduler(() => scheduler.InstanceOf(services), scheduler.Options, keeper, guard, recurrences, sent, index, time, logging);
        configurator.ConnectBusObserver(bus);
        services.GetRequiredService<GradientSchedulerHealthCheck>().Add(bus);
    }

    // the container knows only this one, and MassTransit's own has a report to cancel
    public ValueTask DisposeAsync() => inner is IAsyncDisposable disposable ? disposable.DisposeAsync() : ValueTask.CompletedTask;
}
