using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>A service with MassTransit and graded retry, as a user would build it.</summary>
public sealed class RetryService : IAsyncDisposable
{
    private readonly IHost _host;
    private bool _stopped;

    private RetryService(IHost host) => _host = host;

    public IServiceProvider Services => _host.Services;

    public IBus Bus => _host.Services.GetRequiredService<IBus>();

    /// <summary>Starts a service.</summary>
    public static async Task<RetryService> StartAsync(
        Uri broker,
        Action<IBusRegistrationContext, IRabbitMqBusFactoryConfigurator> configure,
        Action<IBusRegistrationConfigurator>? register = null,
        Action<MassTransitHostOptions>? hostOptions = null,
        Action<IServiceCollection>? services = null)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(30));
        builder.Services.AddOptions<MassTransitHostOptions>().Configure(options =>
        {
            options.WaitUntilStarted = true;
            hostOptions?.Invoke(options);
        });
        services?.Invoke(builder.Services);
        builder.Services.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            if (register is null)
            {
                x.AddGradientRetry();
            }
            else
            {
                register(x);
            }

            x.UsingRabbitMq((context, cfg) =>
            {
                cfg.Host(broker);
                configure(context, cfg);
            });
        });
        var host = builder.Build();
        await host.StartAsync();
        return new RetryService(host);
    }

    /// <summary>The bus's own word about itself, waited for: endpoints report a moment after the start.</summary>
    public async Task<BusHealthStatus> HealthAsync()
    {
        var bus = _host.Services.GetRequiredService<IBusControl>();
        return await bus.WaitForHealthStatus(BusHealthStatus.Healthy, TimeSpan.FromSeconds(30));
    }

    public async Task StopAsync()
    {
        if (!_stopped)
        {
            _stopped = true;
            await _host.StopAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _host.Dispose();
    }
}
