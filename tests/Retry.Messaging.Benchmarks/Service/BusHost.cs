using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Retry.Messaging.Benchmarks.Service;

/// <summary>A service with MassTransit, with or without graded retry, as a user would build it.</summary>
internal sealed class BusHost : IAsyncDisposable
{
    private readonly IHost _host;

    private BusHost(IHost host) => _host = host;

    public IServiceProvider Services => _host.Services;

    /// <summary>Starts a service.</summary>
    /// <param name="broker">The virtual host.</param>
    /// <param name="withRetry">Whether graded retry is registered.</param>
    /// <param name="configure">Configures the endpoints.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="services">Adds what else the service has, consumers among it.</param>
    public static async Task<BusHost> StartAsync(
        Uri broker,
        bool withRetry,
        Action<IBusRegistrationContext, IRabbitMqBusFactoryConfigurator> configure,
        CancellationToken cancellationToken,
        Action<IServiceCollection, IBusRegistrationConfigurator>? services = null)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.Configure<MassTransitHostOptions>(options => options.WaitUntilStarted = true);
        builder.Services.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            services?.Invoke(builder.Services, x);
            if (withRetry)
            {
                x.AddGradientRetry();
            }

            x.UsingRabbitMq((context, cfg) =>
            {
                cfg.Host(broker);
                configure(context, cfg);
            });
        });
        var host = builder.Build();
        await host.StartAsync(cancellationToken);
        return new BusHost(host);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
