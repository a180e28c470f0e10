using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit;
using Retry.Messaging.MassTransit.Configuration;
using Retry.Messaging.MassTransit.Endpoints;
using Retry.Messaging.MassTransit.InMemory;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Telemetry;

#pragma warning disable IDE0130 // extensions live where the user already is
namespace MassTransit;
#pragma warning restore IDE0130

/// <summary>Graded retry for MassTransit.</summary>
public static class GradientRetryConfigurationExtensions
{
    private const string LineToAdd = "services.AddMassTransit(x => { x.AddGradientRetry(); ... })";

    /// <summary>Makes every durable endpoint of the bus a retry point.</summary>
    /// <param name="configurator">The bus's registration.</param>
    /// <param name="configure">Bus-wide settings; endpoints, definitions and appsettings may say otherwise.</param>
    /// <exception cref="NotSupportedException">MassTransit or RabbitMQ.Client is loaded in a version that this package does not allow.</exception>
    public static IBusRegistrationConfigurator AddGradientRetry(this IBusRegistrationConfigurator configurator, Action<GradientRetryOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(configurator);
        SupportedPackages.Check();
        Add(configurator, configure, static services => services.GetRequiredService<DependencyInjection.Bind<IBus, IBusRegistrationContext>>().Value);
        return configurator;
    }

    /// <summary>Makes every durable endpoint of one of several buses (MultiBus) a retry point.</summary>
    /// <typeparam name="TBus">The bus.</typeparam>
    /// <param name="configurator">The bus's registration.</param>
    /// <param name="configure">Bus-wide settings; endpoints, definitions and appsettings may say otherwise.</param>
    /// <exception cref="NotSupportedException">MassTransit or RabbitMQ.Client is loaded in a version that this package does not allow.</exception>
    public static IBusRegistrationConfigurator<TBus> AddGradientRetry<TBus>(
        this IBusRegistrationConfigurator<TBus> configurator,
        Action<GradientRetryOptions>? configure = null)
        where TBus : class, IBus
    {
        ArgumentNullException.ThrowIfNull(configurator);
        SupportedPackages.Check();
        Add(configurator, configure, static services => services.GetRequiredService<DependencyInjection.Bind<TBus, IBusRegistrationContext>>().Value);
        return configurator;
    }

    /// <summary>Sets the retry policy of one endpoint. Two calls merge, they never nest.</summary>
    /// <param name="configurator">The endpoint.</param>
    /// <param name="context">The registration context, as given to <c>UsingRabbitMq</c> and to definitions.</param>
    /// <param name="configure">The policy; without it the bus-wide settings hold.</param>
    /// <exception cref="ConfigurationException">AddGradientRetry is missing.</exception>
    public static void UseGradientRetry(
        this IReceiveEndpointConfigurator configurator,
        IRegistrationContext context,
        Action<RetryPointBuilder>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(configurator);
        ArgumentNullException.ThrowIfNull(context);
        Require(context, "UseGradientRetry found no graded retry on this bus.");
        EndpointLayers.Of(configurator).Add(configure);
    }

    /// <summary>Leaves an endpoint as plain MassTransit makes it.</summary>
    /// <param name="configurator">The endpoint.</param>
    public static void DisableGradientRetry(this IReceiveEndpointConfigurator configurator)
    {
        ArgumentNullException.ThrowIfNull(configurator);
        EndpointLayers.Of(configurator).Disabled = true;
    }

    /// <summary>Refused: a retry point is a queue, and a consumer is only one of those that share it.</summary>
    /// <param name="configurator">The consumer.</param>
    /// <param name="context">Not used.</param>
    /// <param name="configure">Not used.</param>
    [Obsolete(
        "A retry point is a queue: call UseGradientRetry on the receive endpoint (in a consumer definition: on endpointConfigurator), and ForMessage<T> for what differs by message.",
        error: true)]
    public static void UseGradientRetry(this IConsumerConfigurator configurator, IRegistrationContext context, Action<RetryPointBuilder>? configure = null) =>
        throw new NotSupportedException();

    internal static void Require(IRegistrationContext context, string found)
    {
        if (context.GetService<GradientRetryRegistration>() is null)
        {
            throw new ConfigurationException($"{found} Add this line: {LineToAdd}");
        }
    }

    // Not inlined: types of ours that a changed interface of MassTransit would break are loaded with this method, after the check.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Add(IServiceCollection services, Action<GradientRetryOptions>? configure, Func<IServiceProvider, IBusRegistrationContext> contextOf)
    {
        var options = new GradientRetryOptions();
        configure?.Invoke(options);
        services.AddSingleton(new GradientRetryRegistration(contextOf, options));
        services.TryAddSingleton<InMemoryParkingLot>();
        if (!services.Any(service => service.ServiceType == typeof(GradientRetryHealthCheck)))
        {
            services.TryAddSingleton<IBrokerConnection, BusConnection>();
            services.AddSingleton<GradientRetryHealthCheck>();
            services.AddHealthChecks().AddCheck<GradientRetryHealthCheck>(GradientRetryHealthCheck.Name, HealthStatus.Degraded, ["ready", "masstransit"]);
            services.AddSingleton(static provider => new RetryMetrics(provider.GetService<IMeterFactory>()));
            services.AddSingleton(static provider => new ProcessControls(
                provider.GetService<TimeProvider>() ?? TimeProvider.System,
                provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance));
        }

        BusConfigurationHook.AddTo(services);
    }
}
