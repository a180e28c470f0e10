using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.MassTransit.Scheduling;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>A service with the scheduler and without graded retry, and its <see cref="IMessageScheduler"/>.</summary>
internal sealed class ScheduledService : IAsyncDisposable
{
    private readonly RetryService _service;
    private readonly AsyncServiceScope _scope;

    private ScheduledService(RetryService service)
    {
        _service = service;
        _scope = service.Services.CreateAsyncScope();
        Scheduler = _scope.ServiceProvider.GetRequiredService<IMessageScheduler>();
    }

    public IBus Bus => _service.Bus;

    public IServiceProvider Services => _service.Services;

    public IMessageScheduler Scheduler { get; }

    public static async Task<ScheduledService> StartAsync(
        Uri broker,
        Action<IBusRegistrationContext, IRabbitMqBusFactoryConfigurator> configure,
        Action<IBusRegistrationConfigurator>? register = null,
        Action<GradientSchedulerOptions>? scheduler = null,
        Action<IServiceCollection>? services = null) =>
        new(await RetryService.StartAsync(
            broker,
            configure,
            x =>
            {
                x.AddGradientScheduler(scheduler);
                register?.Invoke(x);
            },
            services: services));

    public Task StopAsync() => _service.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _scope.DisposeAsync();
        await _service.DisposeAsync();
    }
}
