using MassTransit;
using MassTransit.UsageTracking;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

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

    public void PreConfigureBus<T>(T configurator, IBusRegistrationContext context)
        where T : IBusFactoryConfigurator
    {
        inner.PreConfigureBus(configurator, context);
        foreach (var registration in services.GetServices<GradientRetryRegistration>())
        {
            if (ReferenceEquals(registration.ContextOf(services), context))
            {
                var endpoints = new EndpointObserver(services, registration.Options);
                configurator.ConnectEndpointConfigurationObserver(endpoints);
                _unknown.Add(endpoints);
                configurator.ConnectBusObserver(_unknown);
                configurator.ConnectBusObserver(new StopNotice(endpoints));
            }
        }
    }

    public void PreConfigureRider<T>(T configurator)
        where T : IRiderFactoryConfigurator =>
        inner.PreConfigureRider(configurator);

    // the container knows only this one, and MassTransit's own has a report to cancel
    public ValueTask DisposeAsync() => inner is IAsyncDisposable disposable ? disposable.DisposeAsync() : ValueTask.CompletedTask;
}
